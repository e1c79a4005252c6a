/** The text of a message: plain with its links, or Pushover's subset of HTML. */
import DOMPurify from 'dompurify';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Message } from '../../../lib/device/index.ts';

/** Addresses that a message may lead to. Everything else that a browser would follow or run stays text. */
const SAFE = /^(?:https?|mailto|tel|sms):/i;

/** Pushover's tags, and a line break. */
const ALLOWED = {
  ALLOWED_TAGS: ['a', 'b', 'br', 'font', 'i', 'u'],
  ALLOWED_ATTR: ['color', 'href'],
  ALLOWED_URI_REGEXP: SAFE,
  // Else the rule for addresses is applied to colours too.
  ADD_URI_SAFE_ATTR: ['color'],
  RETURN_DOM_FRAGMENT: true as const,
};

/** Web addresses in a text; what ends a sentence does not belong to them. */
const ADDRESS = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/gi;

export function Body({ message }: { message: Message }) {
  const kind = message.monospace ? 'body mono' : 'body';
  return message.html ? (
    <Html kind={kind} html={message.message} />
  ) : (
    <p class={kind}>{linked(message.message)}</p>
  );
}

/** A link that opens elsewhere and tells nobody where it was clicked; undefined if it is not to be followed. */
export function safeHref(address: string | undefined): string | undefined {
  return address !== undefined && SAFE.test(address) && URL.canParse(address) ? address : undefined;
}

function Html({ kind, html }: { kind: string; html: string }) {
  const place = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    const fragment = DOMPurify.sanitize(html, ALLOWED);
    for (const link of fragment.querySelectorAll('a')) {
      link.target = '_blank';
      link.rel = 'noopener noreferrer';
    }
    place.current?.replaceChildren(fragment);
  }, [html]);
  return <p class={kind} ref={place} />;
}

function linked(content: string) {
  const parts = [];
  let at = 0;
  for (const { 0: address, index } of content.matchAll(ADDRESS)) {
    parts.push(content.slice(at, index));
    parts.push(
      safeHref(address) ? (
        <a href={address} target="_blank" rel="noopener noreferrer">
          {address}
        </a>
      ) : (
        address
      ),
    );
    at = index + address.length;
  }
  return [...parts, content.slice(at)];
}
