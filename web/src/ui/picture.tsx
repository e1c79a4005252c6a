import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { MessageAttachment, StoredMessage } from '../../../lib/device/index.ts';
import { app } from '../state/app.ts';
import { text } from '../text.ts';

export interface PictureProps {
  id: number;
  /** What the message says of its image. */
  attachment: MessageAttachment;
  /** What became of it. */
  state: StoredMessage['attachment'];
  title: string;
}

/** The image of a message; in words, if there is none to be seen. */
export function Picture({ id, attachment, state, title }: PictureProps) {
  if (state === 'stored') return <Stored id={id} type={attachment.type} title={title} />;
  return <p class="note">{text.message.image[state ?? 'awaited']}</p>;
}

function Stored({ id, type, title }: { id: number; type: string; title: string }) {
  const address = useSignal<string | undefined>(undefined);
  const state = useSignal<'loading' | 'missing' | 'seen' | 'unseen'>('loading');
  useEffect(() => {
    let url: string | undefined;
    let over = false;
    const load = async () => {
      const bytes = await app().store.attachment(id);
      if (over) return;
      // The type is the bytes' own: `openAttachment` stores nothing of which it is not.
      if (bytes) url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
      else state.value = 'missing';
      address.value = url;
    };
    load().catch(() => {
      state.value = 'missing';
    });
    return () => {
      over = true;
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [id, type]);
  if (state.value === 'missing') return <p class="note">{text.message.image.gone}</p>;
  const name = `image-${id}.${type.replace(/^.*\//, '')}`;
  return (
    <figure class="picture">
      {state.value === 'unseen' ? (
        <p class="note">{text.message.image.unseen}</p>
      ) : (
        <div class={`frame-of-picture ${state.value}`}>
          {address.value !== undefined && (
            <img
              src={address.value}
              alt={text.message.image.of(title)}
              onLoad={() => {
                state.value = 'seen';
              }}
              onError={() => {
                state.value = 'unseen';
              }}
            />
          )}
        </div>
      )}
      {address.value !== undefined && (
        <figcaption>
          <a href={address.value} download={name}>
            {text.message.image.save}
          </a>
        </figcaption>
      )}
    </figure>
  );
}

/** Says in a row that there is an image, without reading it. */
export function PictureMark() {
  return (
    <svg
      class="picture-mark"
      viewBox="0 0 20 20"
      width="16"
      height="16"
      role="img"
      aria-label={text.list.image}
    >
      <rect x="2" y="3.5" width="16" height="13" rx="2.5" />
      <path d="m3 14.5 4.5-4.5 3.5 3.5 2.5-2.5 3.5 3.5" />
      <circle cx="13" cy="7.5" r="1.25" />
    </svg>
  );
}
