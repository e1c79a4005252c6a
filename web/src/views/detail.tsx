import { useEffect, useRef } from 'preact/hooks';
import type { Message } from '../../../lib/device/index.ts';
import { go, hrefOf } from '../router.ts';
import { acknowledge, acknowledgements, asks, messages, remove } from '../state/messages.ts';
import type { Ended } from '../store/database.ts';
import type { ShownMessage } from '../store/e2ee.ts';
import { text } from '../text.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Body, safeHref } from '../ui/body.tsx';
import { Button } from '../ui/button.tsx';
import { Picture } from '../ui/picture.tsx';
import { isoTime, wholeTime } from '../ui/times.ts';

/** One message, whole. */
export function Detail({ id }: { id: number | undefined }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the list goes away, and the focus with it.
    if (document.activeElement?.checkVisibility() !== true || document.activeElement === document.body) {
      place.current?.focus();
    }
  }, [id]);
  if (id === undefined) {
    return (
      <div class="muted middle">
        <p>{text.message.none}</p>
        {messages.value.length > 0 && <p class="small">{text.list.keys}</p>}
      </div>
    );
  }
  const stored = messages.value.find((one) => one.id === id);
  const removeIt = async () => {
    await remove(id);
    go('');
  };
  return (
    <article ref={place} tabIndex={-1}>
      <div class="tools">
        <a class="button plain back" href={hrefOf('')}>
          {text.message.back}
        </a>
        {stored && (
          <Button label={text.message.deleteWhat(titleOf(stored))} onClick={removeIt}>
            {text.message.delete}
          </Button>
        )}
      </div>
      {!stored && <p class="muted">{text.message.gone}</p>}
      {stored?.kind === 'unreadable' && (
        <>
          <h1>{text.message.unreadable}</h1>
          <p>{text.message.reasons[stored.reason]}</p>
        </>
      )}
      {stored?.kind === 'message' && <Whole stored={stored} message={stored.message} />}
    </article>
  );
}

function Whole({ stored, message }: { stored: ShownMessage; message: Message }) {
  const { app, aid, attachment, icon, date, expires, priority, title, url, url_title } = message;
  const href = safeHref(url);
  return (
    <>
      <header class="about">
        <Avatar key={icon} name={app} aid={aid} icon={icon} />
        <div>
          <p class="app">
            {app}
            {priority !== 0 && <span class={`badge p${priority}`}>{text.priorities[String(priority)]}</span>}
          </p>
          <p class="muted">
            <time dateTime={isoTime(date)}>{wholeTime(date)}</time>
          </p>
        </div>
      </header>
      {message.receipt !== undefined && <Emergency stored={stored} message={message} />}
      <h1>{title ?? (stored.closed ? text.notice.encrypted : app)}</h1>
      {stored.closed && (
        <p class="note">
          {text.message.closed[stored.closed]} <a href={hrefOf('settings')}>{text.message.toSettings}</a>
        </p>
      )}
      {message.message !== '' && <Body message={message} />}
      {url !== undefined && (
        <p class="link">
          {href ? (
            <a href={href} target="_blank" rel="noopener noreferrer">
              {url_title ?? url}
            </a>
          ) : (
            // An address that a browser must not follow, as it came.
            `${url_title ?? ''} ${url}`.trim()
          )}
        </p>
      )}
      {expires !== undefined && (
        <p class="muted">
          {text.message.expires}: <time dateTime={isoTime(expires)}>{wholeTime(expires)}</time>
        </p>
      )}
      {attachment && (
        // The last, so that nothing is pushed away when it comes. Another message is another image.
        <Picture
          key={`${stored.id} ${stored.attachment}`}
          id={stored.id}
          attachment={attachment}
          state={stored.attachment}
          title={title ?? app}
        />
      )}
    </>
  );
}

function Emergency({ stored, message }: { stored: ShownMessage; message: Message }) {
  const acknowledgement = acknowledgements.value.get(stored.id);
  if (acknowledgement?.ended) return <EndedElsewhere ended={acknowledgement.ended} />;
  if (acknowledgement) {
    return (
      <p class="done">{acknowledgement.waiting ? text.message.acknowledging : text.message.acknowledged}</p>
    );
  }
  if (!asks(stored)) return <p class="note">{text.message.ended}</p>;
  return (
    <div class="emergency" role="alert">
      <p>{text.message.asks}</p>
      <Button kind="danger" onClick={() => acknowledge(message)}>
        {text.message.acknowledge}
      </Button>
    </div>
  );
}

function EndedElsewhere({ ended }: { ended: Ended }) {
  if (ended.how === 'cancelled') return <p class="note">{text.message.cancelled}</p>;
  const { device } = ended;
  return (
    <p class="done">{device === undefined ? text.message.elsewhere : text.message.elsewhereOn(device)}</p>
  );
}

const titleOf = (stored: ShownMessage) =>
  stored.kind === 'message' ? (stored.message.title ?? stored.message.app) : text.message.unreadable;
