/** Looks at WebSocket frames as they pass (RFC 6455, 5.2), for the one thing a library does not tell: their size. */

/**
 * Returns a function to be fed with what a client sends after the handshake. It says whether a frame has begun whose
 * payload is larger than `limit` bytes, as soon as the frame's header has come.
 */
export function createFrameWatch(limit: number): (chunk: Uint8Array) => boolean {
  let header: number[] = [];
  let skip = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at);
        skip -= step;
        at += step;
        continue;
      }
      header.push(chunk[at] as number);
      at += 1;
      const size = payloadSize(header);
      if (size === undefined) continue;
      if (size > limit) return true;
      skip = size;
      header = [];
    }
    return false;
  };
}

/** The payload size which a frame header states, or undefined while the header is incomplete. */
function payloadSize(header: readonly number[]): number | undefined {
  const second = header[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const mask = (second & 0x80) === 0 ? 0 : 4;
  if (header.length < 2 + extended + mask) return undefined;
  if (extended === 0) return short;
  return header.slice(2, 2 + extended).reduce((sum, byte) => sum * 256 + byte, 0);
}
