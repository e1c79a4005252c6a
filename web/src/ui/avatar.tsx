import { useSignal } from '@preact/signals';
import { iconUrl } from '../platform/config.ts';
import { app } from '../state/app.ts';

/** Angles of the golden ratio: neighbours in number are far apart in colour. */
const TURN = 137.508;

/** An application's icon; its first letter, in a colour of its own, if it has none, and until the icon is there. */
export function Avatar({ name, aid, icon }: { name: string; aid: number; icon: string }) {
  const state = useSignal<'broken' | 'loaded' | 'loading'>('loading');
  const url = iconUrl(app().config, icon);
  if (url !== undefined && state.value === 'loaded') return <img class="avatar" src={url} alt="" />;
  return (
    <span class="avatar" aria-hidden="true" style={{ '--hue': String(Math.round((aid * TURN) % 360)) }}>
      {[...name.trim()][0]?.toUpperCase() ?? '?'}
      {url !== undefined && state.value === 'loading' && (
        <img
          src={url}
          alt=""
          loading="lazy"
          onLoad={() => {
            state.value = 'loaded';
          }}
          onError={() => {
            state.value = 'broken';
          }}
        />
      )}
    </span>
  );
}
