/** HPACK's static table (RFC 7541, appendix A); the first entry has index 1. */

/** A header field's name and value. */
export type Field = readonly [name: string, value: string];

const TEXT = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

/** The entries, the one of index 1 first. */
export const STATIC_TABLE: readonly Field[] = TEXT.split('\n').map((line) => {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
});

/** The index of the first entry with a name. */
export const STATIC_NAMES: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(([name], i) => [name, i + 1] as const).toReversed(),
);

/** What an entry's place costs besides its characters (RFC 7541, section 4.1). Bytes. */
export const ENTRY_OVERHEAD = 32;

/** Size of a dynamic table unless SETTINGS_HEADER_TABLE_SIZE says otherwise (RFC 9113, section 6.5.2). Bytes. */
export const DEFAULT_TABLE_SIZE = 4096;
