import { memo } from 'preact/compat';
import { htmlToText } from '../../../lib/device/index.ts';
import { hrefOf } from '../router.ts';
import { acknowledge } from '../state/messages.ts';
import type { ShownMessage } from '../store/e2ee.ts';
import { text } from '../text.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { PictureMark } from '../ui/picture.tsx';
import { isoTime, timeOf } from '../ui/times.ts';

/** Characters of a message that a row shows at most. */
const EXCERPT = 240;

export interface RowProps {
  stored: ShownMessage;
  selected: boolean;
  urgent?: boolean;
}

/** A message in the list. Made anew only if the message, or whether it is selected, changes. */
export const Row = memo(({ stored, selected, urgent }: RowProps) => {
  if (stored.kind === 'unreadable') {
    return (
      <li class="message unreadable">
        <Avatar name="?" aid={0} icon="default" />
        <a class="open" href={hrefOf('message', stored.id)} data-id={stored.id}>
          <span class="title">{text.message.unreadable}</span>
        </a>
      </li>
    );
  }
  const { message } = stored;
  const { app, aid, icon, date, priority, title } = message;
  const content = (message.html ? htmlToText(message.message) : message.message).slice(0, EXCERPT);
  return (
    <li class={`message p${priority}`}>
      <Avatar name={app} aid={aid} icon={icon} />
      <a
        class="open"
        href={hrefOf('message', stored.id)}
        data-id={stored.id}
        aria-current={selected ? 'true' : undefined}
      >
        <span class="meta">
          <span class="app">{app}</span>
          {priority !== 0 && <span class="badge">{text.priorities[String(priority)]}</span>}
          {message.attachment && <PictureMark />}
          <time dateTime={isoTime(date)}>{timeOf(date)}</time>
        </span>
        {title !== undefined && <span class="title">{title}</span>}
        {content === '' && stored.closed ? (
          <span class="excerpt muted">{text.list.encrypted}</span>
        ) : (
          <span class={message.monospace ? 'excerpt mono' : 'excerpt'}>{content}</span>
        )}
      </a>
      {urgent && (
        <div class="act">
          <Button kind="danger" onClick={() => acknowledge(message)}>
            {text.message.acknowledge}
          </Button>
        </div>
      )}
    </li>
  );
});
