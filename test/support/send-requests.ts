/**
 * Requests to send a message, generated: well-formed ones with fields from both sides of every limit, of which a model
 * knows the answer; the same with their bytes damaged; and noise.
 */
import fc from 'fast-check';
import { anyCharacter } from './text.ts';

/** A request before it is put on a wire. */
export interface WireRequest {
  /** Path and query. */
  target: string;
  contentType: string | undefined;
  body: Buffer;
}

/** What a sender gives: names and values in order, of which the first few may be in the query. */
export interface GivenRequest {
  fields: [name: string, value: string][];
  /** How many of the fields are in the query instead of the body. */
  inQuery: number;
  encoding: 'form' | 'json' | 'multipart';
}

/** What the answer must be. */
export type Expected =
  | { status: 200; text: string; fields: Record<string, unknown> }
  | { status: 400; faults: string[] };

const BOUNDARY = 'fuzz-boundary';

const character = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }) },
  {
    weight: 2,
    // Controls, bidi overrides, a byte order mark, a joiner, a combining mark, halves of nothing, a line separator.
    arbitrary: fc
      .constantFrom('\n', '\r', '\t', '\u0007', '\u001b[31m', '\u007f', '\u0085', '\u202e', '\u2066')
      .chain((text) =>
        fc.constantFrom(text, '\ufeff', '\u200d', '\u0301', '\ufffd', '\uffff', '\u2028', '😀'),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('&', '=', '%', '+', '%41', '--', '"', '\\', '{', '}', ';', '--fuzz'),
  },
);
const text = fc.array(character, { maxLength: 12 }).map((parts) => parts.join(''));

/** Text of a length around a limit in characters. */
const around = (limit: number) =>
  fc
    .tuple(fc.constantFrom('x', 'ü', '😀'), fc.integer({ min: -1, max: 1 }))
    .map(([unit, more]) => unit.repeat(limit + more));

const limited = (limit: number) =>
  fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: around(limit) });

const numbers = fc.constantFrom(
  ...['0', '1', '-1', '29', '30', '10800', '10801', '31536000', '31536001', '1700000000', '1700000000.25'],
  ...[
    '253402300799',
    '253402300800',
    '1e3',
    '0x10',
    '١',
    ' 1',
    '1 ',
    '1.',
    '.5',
    '999999999999999',
    'NaN',
    '1,5',
  ],
  ...['9'.repeat(16), '9'.repeat(400), 'Infinity', '-0', '+1', '00060', 'true', ''],
);

const VALUES: Record<string, fc.Arbitrary<string>> = {
  message: limited(1024),
  title: limited(250),
  url: limited(512),
  url_title: limited(100),
  device: fc.oneof(text, fc.constantFrom('phone', 'phone,other', ',', 'x'.repeat(2048), 'x'.repeat(2049))),
  priority: fc.oneof(fc.constantFrom('-2', '-1', '0', '1', '2', ''), numbers),
  sound: fc.oneof(fc.constantFrom('magic', 'x'.repeat(40), 'x'.repeat(41), 'no spaces', ''), text),
  timestamp: numbers,
  // A message that lives for a second may be gone before it is looked for.
  ttl: numbers.filter((value) => value !== '1'),
  html: fc.constantFrom('1', '0', 'true', 'True', 'false', '', 'yes'),
  monospace: fc.constantFrom('0', 'false', '', '1'),
  retry: numbers,
  expire: numbers,
};

/** Names that nobody knows; those of objects' own properties among them. */
const unknown = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'errors',
    'status',
    'request',
    'body',
    'x'.repeat(200),
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).map((name) => `x-${name}`),
);

const known = fc
  .constantFrom(...Object.keys(VALUES))
  .chain((name) => VALUES[name]!.map((value): [string, string] => [name, value]));

/** Well-formed requests of an app to a user, some with a key that is nobody's. */
export function givenRequests(token: string, user: string): fc.Arbitrary<GivenRequest> {
  const key = (right: string) =>
    fc.oneof(
      { weight: 30, arbitrary: fc.constant(right) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '',
          'x'.repeat(30),
          right.slice(1),
          `${right} `,
          '\ufffd',
          '🔑'.repeat(15),
        ),
      },
    );
  const required = fc
    .tuple(key(token), key(user), VALUES.message!)
    .map(([givenToken, givenUser, message]): [string, string][] => [
      ['token', givenToken],
      ['user', givenUser],
      ['message', message],
    ]);
  const others = fc.array(
    fc.oneof({ weight: 4, arbitrary: known }, { weight: 1, arbitrary: fc.tuple(unknown, text) }),
    { maxLength: 6 },
  );
  const nul = fc.oneof({ weight: 40, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: known });
  return fc
    .tuple(
      required,
      others,
      nul,
      fc.nat(3),
      fc.constantFrom('form' as const, 'json' as const, 'multipart' as const),
    )
    .map(([first, more, spoilt, inQuery, encoding]) => {
      const extra: [string, string][] = spoilt ? [[spoilt[0], `${spoilt[1]}\0`]] : [];
      const fields = [...first, ...more, ...extra];
      // A JSON object has a name once; the others are read in their order.
      const body = encoding === 'json' ? lastOfEach(fields.slice(inQuery)) : fields.slice(inQuery);
      return { fields: [...fields.slice(0, inQuery), ...body], inQuery, encoding };
    });
}

function lastOfEach(fields: [string, string][]): [string, string][] {
  return [...new Map(fields)];
}

/** Puts a request on the wire. */
export function encode({ fields, inQuery, encoding }: GivenRequest): WireRequest {
  const query = new URLSearchParams(fields.slice(0, inQuery)).toString();
  const target = `/1/messages.json${query && `?${query}`}`;
  const rest = fields.slice(inQuery);
  if (encoding === 'form') {
    const body = Buffer.from(new URLSearchParams(rest).toString());
    return { target, contentType: 'application/x-www-form-urlencoded', body };
  }
  if (encoding === 'json') {
    const members = rest.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
    return { target, contentType: 'application/json', body: Buffer.from(`{${members.join(',')}}`) };
  }
  const parts = rest.map(
    ([name, value]) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${quote(name)}"\r\n\r\n${value}\r\n`,
  );
  const body = Buffer.from(`${parts.join('')}--${BOUNDARY}--\r\n`);
  return { target, contentType: `multipart/form-data; boundary=${BOUNDARY}`, body };
}

/** A name as browsers quote it. */
function quote(name: string): string {
  return name.replaceAll('\\', '\\\\').replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** The model: Pushover's table of parameters once more, written for short texts and not for speed. */
export function expectedOf(given: GivenRequest, token: string, user: string): Expected {
  for (const [name, value] of given.fields) if (value.includes('\0')) return { status: 400, faults: [name] };
  // A form's own line end is %0A: raw ones at its end are dropped, but none is raw here.
  const fields = new Map(given.fields.map(([name, value]) => [name, value.toWellFormed()]));
  const value = (name: string) => fields.get(name) || undefined;
  if (value('token') !== token) return { status: 400, faults: ['token'] };
  if (value('user')?.trim() !== user) return { status: 400, faults: ['user'] };
  const faults = new Set<string>();
  const check = (name: string, good: (given: string) => boolean) => {
    const found = value(name);
    if (found !== undefined && !good(found)) faults.add(name);
  };
  const within = (least: number, most: number) => (found: string) => {
    if (!/^\d{1,15}(\.\d{1,20})?$/.test(found)) return false;
    const seconds = Math.floor(Number(found));
    return seconds >= least && seconds <= most;
  };
  const isOn = (name: string) => ['1', 'true'].includes((value(name) ?? '').toLowerCase());
  if ((value('message') ?? '').trim() === '') faults.add('message');
  for (const [name, limit] of [
    ['message', 1024],
    ['title', 250],
    ['url', 512],
    ['url_title', 100],
  ] as const) {
    check(name, (found) => [...found].length <= limit);
  }
  check('device', (found) => found.length <= 2048);
  check('priority', (found) => ['-2', '-1', '0', '1', '2'].includes(found));
  check('sound', (found) => /^[A-Za-z0-9_-]{1,40}$/.test(found));
  check('timestamp', within(0, 253_402_300_799));
  check('ttl', within(1, 31_536_000));
  if (isOn('html') && isOn('monospace')) faults.add('html').add('monospace');
  if (value('priority') === '2') {
    if (!within(30, Number.MAX_SAFE_INTEGER)(value('retry') ?? '')) faults.add('retry');
    if (!within(1, 10_800)(value('expire') ?? '')) faults.add('expire');
  }
  if (faults.size > 0) return { status: 400, faults: [...faults] };
  return {
    status: 200,
    text: value('message')!,
    fields: {
      priority: Number(value('priority') ?? 0),
      ...Object.fromEntries(
        ['title', 'url', 'url_title', 'sound']
          .filter((name) => value(name) !== undefined)
          .map((name) => [name, value(name)]),
      ),
      ...(value('timestamp') !== undefined && { date: Math.floor(Number(value('timestamp'))) }),
    },
  };
}

/** Damage to bytes: flipped, cut off, doubled, cut out, overwritten. */
const damage = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'cut', 'double', 'drop', 'write'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(40),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 4 },
);

type Damage = typeof damage extends fc.Arbitrary<infer One> ? One : never;

function damaged(body: Buffer, hits: Damage): Buffer {
  return hits.reduce((bytes, { kind, at, length, bytes: written }) => {
    const start = Math.floor(at * bytes.length);
    const end = Math.min(bytes.length, start + length);
    const [before, hit, after] = [bytes.subarray(0, start), bytes.subarray(start, end), bytes.subarray(end)];
    if (kind === 'cut') return before;
    if (kind === 'drop') return Buffer.concat([before, after]);
    if (kind === 'double') return Buffer.concat([before, hit, hit, after]);
    if (kind === 'write') return Buffer.concat([before, written, after]);
    const flipped = Buffer.from(hit);
    for (let n = 0; n < flipped.length; n += 1) flipped[n] = flipped[n]! ^ (1 << (n % 8));
    return Buffer.concat([before, flipped, after]);
  }, body);
}

const TYPES = [
  undefined,
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=iso-8859-1',
  'application/x-www-form-urlencoded; charset=utf-16',
  'application/json',
  'application/json; charset=utf-7',
  'application/vnd.api+json',
  `multipart/form-data; boundary=${BOUNDARY}`,
  'multipart/form-data; boundary="',
  'multipart/form-data',
  'multipart/mixed; boundary=x',
  'text/plain;charset=UTF-8',
  'text/xml',
  'application/octet-stream',
  ';;==";',
  ' ',
];

/** Requests with damaged bytes, under their own type or any other. None has a `ttl`, which damage could make short. */
export function damagedRequests(token: string, user: string): fc.Arbitrary<WireRequest> {
  const type = fc.oneof(
    { weight: 3, arbitrary: fc.constant('its own') },
    { weight: 1, arbitrary: fc.constantFrom(...TYPES) },
  );
  const lasting = givenRequests(token, user).filter(({ fields }) => fields.every(([name]) => name !== 'ttl'));
  return fc.tuple(lasting, damage, type).map(([given, hits, contentType]) => {
    const wire = encode(given);
    const body = damaged(wire.body, hits);
    return { ...wire, body, contentType: contentType === 'its own' ? wire.contentType : contentType };
  });
}

/** Noise of bytes and of pieces that parsers look for, under any type. */
export function noise(token: string, user: string): fc.Arbitrary<WireRequest> {
  const piece = fc.oneof(
    fc.constantFrom(
      ...[
        `--${BOUNDARY}`,
        `--${BOUNDARY}--`,
        '\r\n',
        '\n',
        '\r',
        '; filename="x"',
        'Content-Type: text/plain',
      ],
      ...[
        'Content-Disposition: form-data; name="message"',
        "; name*=utf-8''%ff",
        '\r\n\r\n',
        '\0',
        '\xff\xfe',
      ],
      ...[
        '&',
        '=',
        '%',
        '%00',
        '%c3',
        '%ed%a0%80',
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '"',
        '\\',
        '\\ud83d',
        '1e999',
      ],
      ...[
        'null',
        'true',
        '"__proto__":',
        'message=',
        `token=${token}`,
        `user=${user}`,
        '"message":',
        '\xc0\xaf',
      ],
      ...[`"token":"${token}"`, `"user":"${user}"`, '\xef\xbb\xbf', 'priority=2', '[[[[[[[[['],
    ),
    fc.string({ unit: anyCharacter, maxLength: 6 }),
  );
  const target = fc.oneof(
    fc.constant('/1/messages.json'),
    fc.constant('/1/messages'),
    piece.map((query) => `/1/messages.json?${encodeURI(query.toWellFormed())}`),
  );
  return fc
    .tuple(target, fc.constantFrom(...TYPES), fc.array(piece, { maxLength: 30 }))
    .map(([where, contentType, pieces]) => ({
      target: where,
      contentType,
      body: Buffer.from(pieces.join(''), 'latin1'),
    }));
}
