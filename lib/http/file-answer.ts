/** Answers with a file, as browsers and caches ask for one (RFC 9110: validators, conditions and ranges). */
import { COMMON } from './answer.ts';
import type { HttpAnswer, HttpRequest } from './message.ts';

export interface FileAnswer {
  content: Uint8Array;
  type: string;
  /** Without its quotes; another for every other content. */
  tag: string;
  cacheControl: string;
}

/**
 * The whole file; 304 if the client has it; or the one range of it that is asked for: Safari plays no sound whose server
 * gives none. Several ranges at once get the whole, which a server may always answer.
 *
 * A 304 says its type as well: API Gateway adds one to an answer without, and caches would take that over.
 */
export function fileAnswer(
  { content, type, tag, cacheControl }: FileAnswer,
  asked: HttpRequest['headers'],
): HttpAnswer {
  const etag = `"${tag}"`;
  const headers = {
    ...COMMON,
    'Content-Type': type,
    ETag: etag,
    'Cache-Control': cacheControl,
    'Accept-Ranges': 'bytes',
  };
  if (matches(asked['if-none-match'], etag)) return { status: 304, headers, body: '' };
  const condition = asked['if-range'];
  const range =
    condition === undefined || condition === etag ? readRange(asked.range, content.length) : undefined;
  if (range === undefined) return { status: 200, headers, body: content };
  if (range === 'unsatisfiable') {
    const limits = { ...headers, 'Content-Range': `bytes */${content.length}` };
    return { status: 416, headers: limits, body: '' };
  }
  const [first, last] = range;
  return {
    status: 206,
    headers: { ...headers, 'Content-Range': `bytes ${first}-${last}/${content.length}` },
    body: content.subarray(first, last + 1),
  };
}

/** `If-None-Match`: a star, or a list with the tag, weak ones too. */
function matches(condition: string | undefined, etag: string): boolean {
  if (condition === undefined) return false;
  const tags = condition.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** First and last byte of a range. What is no single range of bytes is ignored, as the RFC says. */
function readRange(
  range: string | undefined,
  size: number,
): [first: number, last: number] | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return first > last ? 'unsatisfiable' : [first, last];
}
