import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ErrorCode, RequestError, UnprocessedError } from '../../../lib/carriers/http2/errors.ts';
import { MAX_ANSWER_BYTES } from '../../../lib/carriers/http2/exchange.ts';
import { Flag, FrameType } from '../../../lib/carriers/http2/frames.ts';
import { frame, OK, RawPeer, settings } from './raw-peer.ts';

const {
  DATA,
  HEADERS,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  PUSH_PROMISE,
  PING,
  GOAWAY,
  WINDOW_UPDATE,
  CONTINUATION,
} = FrameType;
const { END_HEADERS, END_STREAM, PADDED } = Flag;
const WHOLE = END_HEADERS | END_STREAM;

const answer = (stream: number): Buffer => frame(HEADERS, WHOLE, stream, OK);

/** What a peer may say: the answer's body, or the code of the error that the request or the connection ends with. */
const answers: Record<string, { bytes: Buffer[]; body: string }> = {
  'headers alone': { bytes: [answer(1)], body: '' },
  'a body in parts': {
    bytes: [frame(HEADERS, END_HEADERS, 1, OK), frame(DATA, 0, 1, '61'), frame(DATA, END_STREAM, 1, '62')],
    body: 'ab',
  },
  'a body and trailers': {
    bytes: [
      frame(HEADERS, END_HEADERS, 1, OK),
      frame(DATA, 0, 1, '61'),
      frame(HEADERS, WHOLE, 1, '0001780179'),
    ],
    body: 'a',
  },
  'an interim answer before': { bytes: [frame(HEADERS, END_HEADERS, 1, '0803313030'), answer(1)], body: '' },
  padding: {
    bytes: [
      frame(HEADERS, END_HEADERS | PADDED | Flag.PRIORITY, 1, `02${'0000000010'}${OK}0000`),
      frame(DATA, END_STREAM | PADDED, 1, '03616263000000'),
    ],
    body: 'abc',
  },
  continuations: {
    bytes: [
      frame(HEADERS, END_STREAM, 1, ''),
      frame(CONTINUATION, 0, 1, '88'),
      frame(CONTINUATION, END_HEADERS, 1),
    ],
    body: '',
  },
  'frames that we do not know or need': {
    bytes: [frame(0xbe, 0xff, 7, '00'), frame(PRIORITY, 0, 1, '0000000000'), answer(1)],
    body: '',
  },
};

const malformed: Record<string, Buffer[]> = {
  'a body before headers': [frame(DATA, END_STREAM, 1, '61')],
  'no status': [frame(HEADERS, WHOLE, 1, '0001780179')],
  'two statuses': [frame(HEADERS, WHOLE, 1, `${OK}${OK}`)],
  'a status after a field': [frame(HEADERS, WHOLE, 1, `0001780179${OK}`)],
  "a request's pseudo header": [frame(HEADERS, WHOLE, 1, `${OK}82`)],
  'an upper-case name': [frame(HEADERS, WHOLE, 1, `${OK}0001580179`)],
  'an interim answer that ends': [frame(HEADERS, WHOLE, 1, '0803313030')],
  'trailers that do not end': [
    frame(HEADERS, END_HEADERS, 1, OK),
    frame(HEADERS, END_HEADERS, 1, '0001780179'),
  ],
  'another length than announced': [
    frame(HEADERS, END_HEADERS, 1, `${OK}0f0d0135`),
    frame(DATA, END_STREAM, 1, '61'),
  ],
  'WINDOW_UPDATE by nothing': [frame(WINDOW_UPDATE, 0, 1, '00000000')],
  'too large a stream window': [frame(WINDOW_UPDATE, 0, 1, '7fffffff')],
};

const fatal: Record<string, { bytes: Buffer[]; code: number }> = {
  'a frame on a stream that is not open yet': { bytes: [answer(3)], code: ErrorCode.PROTOCOL_ERROR },
  'a frame on an even stream': { bytes: [answer(2)], code: ErrorCode.PROTOCOL_ERROR },
  'headers on no stream': { bytes: [answer(0)], code: ErrorCode.PROTOCOL_ERROR },
  'a push': { bytes: [frame(PUSH_PROMISE, END_HEADERS, 1, '0000000282')], code: ErrorCode.PROTOCOL_ERROR },
  'a block that is interrupted': {
    bytes: [frame(HEADERS, 0, 1, OK), frame(PING, 0, 0, '00'.repeat(8))],
    code: ErrorCode.PROTOCOL_ERROR,
  },
  'a continuation of nothing': {
    bytes: [frame(CONTINUATION, END_HEADERS, 1)],
    code: ErrorCode.PROTOCOL_ERROR,
  },
  'more padding than payload': { bytes: [frame(DATA, PADDED, 1, '0561')], code: ErrorCode.PROTOCOL_ERROR },
  'a padded frame of nothing': { bytes: [frame(DATA, PADDED, 1)], code: ErrorCode.FRAME_SIZE_ERROR },
  'a frame that is too large': {
    bytes: [frame(DATA, 0, 1, Buffer.alloc(16_385))],
    code: ErrorCode.FRAME_SIZE_ERROR,
  },
  'a PING of seven bytes': { bytes: [frame(PING, 0, 0, '00'.repeat(7))], code: ErrorCode.FRAME_SIZE_ERROR },
  'SETTINGS of five bytes': { bytes: [settings('0000000000')], code: ErrorCode.FRAME_SIZE_ERROR },
  'SETTINGS on a stream': { bytes: [frame(SETTINGS, 0, 1)], code: ErrorCode.PROTOCOL_ERROR },
  'an initial window over the limit': {
    bytes: [settings('000480000000')],
    code: ErrorCode.FLOW_CONTROL_ERROR,
  },
  'a frame size below the least': { bytes: [settings('000500003fff')], code: ErrorCode.PROTOCOL_ERROR },
  'too large a connection window': {
    bytes: [frame(WINDOW_UPDATE, 0, 0, '7fffffff')],
    code: ErrorCode.FLOW_CONTROL_ERROR,
  },
  'a connection window that grows by nothing': {
    bytes: [frame(WINDOW_UPDATE, 0, 0, '00000000')],
    code: ErrorCode.PROTOCOL_ERROR,
  },
  'a block that cannot be decoded': {
    bytes: [frame(HEADERS, WHOLE, 1, '80')],
    code: ErrorCode.COMPRESSION_ERROR,
  },
  'continuations without end': {
    bytes: [frame(HEADERS, 0, 1), ...Array.from({ length: 8000 }, () => frame(CONTINUATION, 0, 1))],
    code: ErrorCode.ENHANCE_YOUR_CALM,
  },
};

describe('HTTP/2 connection', () => {
  for (const [what, { bytes, body }] of Object.entries(answers)) {
    it(`takes ${what}, in one piece or byte by byte`, async () => {
      const whole = await RawPeer.with(1);
      const drip = await RawPeer.with(1);

      await whole.say(Buffer.concat(bytes));
      for (const byte of Buffer.concat(bytes)) await drip.say(Buffer.of(byte));

      for (const { results } of [whole, drip]) {
        assert.equal(results.length, 1);
        assert.ok(!(results[0] instanceof RequestError), String(results[0]));
        assert.deepEqual([results[0]?.status, results[0]?.body], [200, body]);
      }
    });
  }

  for (const [what, bytes] of Object.entries(malformed)) {
    it(`resets a stream for ${what}, and goes on with the others`, async () => {
      const peer = await RawPeer.with(2);

      await peer.say(...bytes, answer(3));

      const [first, second] = peer.results;
      assert.ok(first instanceof RequestError && first.code === 'reset', String(first));
      assert.ok(second && !(second instanceof RequestError));
      assert.deepEqual(
        peer.of(RST_STREAM).map(({ stream }) => stream),
        [1],
      );
    });
  }

  for (const [what, { bytes, code }] of Object.entries(fatal)) {
    it(`ends the connection for ${what}`, async () => {
      const peer = await RawPeer.with(1);

      await peer.say(...bytes);

      assert.equal(peer.goawayCode, code);
      assert.ok(peer.results[0] instanceof RequestError && peer.results[0].code === 'closed');
      assert.equal(peer.events.at(-1), 'closed');
    });
  }

  it('does not begin before the SETTINGS, and ends if anything else comes first', async () => {
    const peer = new RawPeer();
    const before = peer.connection.hasRoom;

    await peer.say(frame(PING, 0, 0, '00'.repeat(8)));

    assert.equal(before, false);
    assert.equal(peer.goawayCode, ErrorCode.PROTOCOL_ERROR);
    assert.deepEqual(peer.events, ['closed']);
  });

  it('keeps to the stream limit as it changes', async () => {
    const peer = await RawPeer.with(2);

    await peer.say(settings('000300000002'));
    const full = peer.connection.hasRoom;
    await peer.say(settings('000300000003'));
    const raised = peer.connection.hasRoom;
    await peer.say(settings('000300000000'), answer(1), answer(3));
    const closed = peer.connection.hasRoom;

    assert.deepEqual([full, raised, closed], [false, true, false]);
    assert.equal(peer.results.length, 2);
  });

  it('answers PING with its payload and takes the answer to its own', async () => {
    const peer = await RawPeer.with(0);
    const alive: boolean[] = [];

    await peer.say(frame(PING, 0, 0, '0102030405060708'));
    for (let i = 0; i < 3; i++) peer.connection.ping((answered) => alive.push(answered));
    await peer.turn();
    const [echo, first] = peer.of(PING);
    await peer.say(frame(PING, Flag.ACK, 0, first!.payload), frame(PING, Flag.ACK, 0, 'ff'.repeat(8)));
    await peer.end();

    assert.equal(echo?.payload.toString('hex'), '0102030405060708');
    assert.deepEqual(alive, [true, false, false]);
  });

  it('says of the requests after the last that a GOAWAY names that they may be repeated', async () => {
    const peer = await RawPeer.with(3);

    await peer.say(frame(GOAWAY, 0, 0, '0000000100000000'), answer(1));

    const [third, fifth, first] = peer.results;
    assert.ok(third instanceof UnprocessedError && fifth instanceof UnprocessedError);
    assert.ok(first && !(first instanceof RequestError));
    assert.equal(peer.connection.hasRoom, false);
  });

  it('tells a stream that was refused from one that was reset', async () => {
    const peer = await RawPeer.with(2);

    await peer.say(frame(RST_STREAM, 0, 1, '00000007'), frame(RST_STREAM, 0, 3, '00000002'));

    assert.ok(peer.results[0] instanceof UnprocessedError);
    assert.ok(peer.results[1] instanceof RequestError && !(peer.results[1] instanceof UnprocessedError));
  });

  it('sends no more of bodies than both windows allow', async () => {
    const peer = await RawPeer.with(0);
    await peer.say(settings('000400000005'));
    const sent = () => peer.of(DATA).map(({ stream, flags, payload }) => [stream, flags, String(payload)]);

    peer.ask('12345678');
    peer.ask(Buffer.from('abcde'));
    await peer.turn();
    const first = sent();
    await peer.say(frame(WINDOW_UPDATE, 0, 1, '00000001'));
    await peer.say(settings('000400000001'));
    await peer.say(settings('000400000006'));
    await peer.say(frame(WINDOW_UPDATE, 0, 1, '00000001'));

    assert.deepEqual(first, [
      [1, 0, '12345'],
      [3, END_STREAM, 'abcde'],
    ]);
    assert.deepEqual(sent().slice(2), [
      [1, 0, '6'],
      [1, 0, '7'],
      [1, END_STREAM, '8'],
    ]);
  });

  it('stops at the end of the connection window and goes on in order', async () => {
    const peer = await RawPeer.with(2, 'x'.repeat(40_000));
    const bytes = () => peer.of(DATA).reduce((sum, { payload }) => sum + payload.length, 0);

    const before = bytes();
    await peer.say(frame(WINDOW_UPDATE, 0, 0, '00010000'));

    assert.equal(before, 65_535);
    assert.equal(bytes(), 80_000);
    assert.deepEqual(
      peer
        .of(DATA)
        .filter(({ flags }) => flags === END_STREAM)
        .map(({ stream }) => stream),
      [1, 3],
    );
  });

  it('cancels the rest of a body for which there is an answer already', async () => {
    const peer = await RawPeer.with(1, 'x'.repeat(100_000));

    await peer.say(answer(1));
    await peer.say(frame(WINDOW_UPDATE, 0, 0, '00010000'), frame(WINDOW_UPDATE, 0, 1, '00010000'));

    assert.ok(peer.results[0] && !(peer.results[0] instanceof RequestError));
    assert.equal(peer.of(RST_STREAM).length, 1);
    assert.equal(peer.connection.streams, 0);
    assert.ok(peer.of(DATA).every(({ flags }) => flags === 0));
  });

  it('gives the windows back, also for what nobody waits for any more', async () => {
    const peer = await RawPeer.with(1);
    await peer.say(frame(RST_STREAM, 0, 1, '00000008'));

    for (let i = 0; i < 64; i++) await peer.say(frame(DATA, 0, 1, Buffer.alloc(16_384)));

    const back = peer.of(WINDOW_UPDATE).slice(1);
    assert.deepEqual(
      back.map(({ stream, payload }) => [stream, payload.readUInt32BE()]),
      [
        [0, 524_288],
        [0, 524_288],
      ],
    );
  });

  it('gives up on an answer that is too long', async () => {
    const peer = await RawPeer.with(1);

    await peer.say(frame(HEADERS, END_HEADERS, 1, OK));
    for (let i = 0; i <= MAX_ANSWER_BYTES / 16_384; i++)
      await peer.say(frame(DATA, 0, 1, Buffer.alloc(16_384)));

    assert.ok(peer.results[0] instanceof RequestError && peer.results[0].code === 'too-large');
    assert.equal(peer.of(RST_STREAM)[0]?.payload.readUInt32BE(), ErrorCode.CANCEL);
  });

  it('splits headers that are larger than a frame', async () => {
    const peer = await RawPeer.with(0);

    peer.ask('', { 'x-long': 'a'.repeat(40_000) });
    await peer.turn();

    assert.deepEqual(
      peer.frames.slice(-3).map(({ type, flags, stream }) => [type, flags, stream]),
      [
        [HEADERS, END_STREAM, 1],
        [CONTINUATION, 0, 1],
        [CONTINUATION, END_HEADERS, 1],
      ],
    );
  });

  it('writes what one turn sends at once', async () => {
    const peer = await RawPeer.with(0);

    peer.ask('a');
    peer.ask('b');
    const before = peer.of(HEADERS).length;
    await peer.turn();

    assert.equal(before, 0);
    assert.equal(peer.of(HEADERS).length, 2);
  });

  it('settles every request once, whatever a peer says', async () => {
    const header = fc.record({
      type: fc.oneof({ weight: 9, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.nat(255) }),
      flags: fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0x20), fc.nat(255)),
      stream: fc.constantFrom(0, 0, 1, 1, 3, 3, 5, 5, 2, 7),
      payload: fc.oneof(
        fc.constantFrom(
          Buffer.of(0x88),
          Buffer.alloc(4),
          Buffer.alloc(8),
          Buffer.from('000300000001', 'hex'),
        ),
        fc.uint8Array({ maxLength: 40 }),
      ),
    });
    const bytes = fc.oneof(
      {
        weight: 4,
        arbitrary: header.map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload)),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 12 }), async (said) => {
        const peer = await RawPeer.with(3, 'x'.repeat(30_000));

        await peer.say(...said);
        await peer.end();

        assert.equal(peer.results.length, 3);
        assert.equal(peer.events.filter((event) => event === 'closed').length, 1);
        assert.equal(peer.connection.streams, 0);
      }),
      { numRuns: 400 },
    );
  });
});
