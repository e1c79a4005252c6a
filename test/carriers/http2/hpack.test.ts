import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConnectionError, ErrorCode } from '../../../lib/carriers/http2/errors.ts';
import { HpackDecoder } from '../../../lib/carriers/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../lib/carriers/http2/hpack-encoder.ts';
import { CODE_LENGTHS } from '../../../lib/carriers/http2/huffman.ts';
import { Output } from '../../../lib/carriers/http2/output.ts';

const MAX_LIST = 16_384;

function decode(decoder: HpackDecoder, block: Uint8Array): string[] {
  const fields: string[] = [];
  decoder.decode(block, 0, block.length, (name, value) => fields.push(`${name}: ${value}`));
  return fields;
}

function encode(encoder: HpackEncoder, headers: Record<string, string>): Buffer {
  const output = new Output();
  output.reserve(HpackEncoder.most({}, headers));
  encoder.encode(output, {}, headers);
  return Buffer.concat(output.take());
}

function codeOf(block: string): number | undefined {
  try {
    decode(new HpackDecoder(MAX_LIST), Buffer.from(block, 'hex'));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ConnectionError, String(error));
    return error.code;
  }
}

const requests = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
];
const [date, later] = ['Mon, 21 Oct 2013 20:13:21 GMT', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const location = 'location: https://www.example.com';
const responses = [
  [':status: 302', 'cache-control: private', `date: ${date}`, location],
  [':status: 307', 'cache-control: private', `date: ${date}`, location],
  [
    ':status: 200',
    'cache-control: private',
    `date: ${later}`,
    location,
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
];
/** RFC 7541, appendix C: the blocks of a connection, the size of its table, and what they say. */
const examples: Record<string, { size: number; blocks: string[]; fields: string[][] }> = {
  'C.2.1': {
    size: 4096,
    blocks: ['400a637573746f6d2d6b65790d637573746f6d2d686561646572'],
    fields: [['custom-key: custom-header']],
  },
  'C.2.2': { size: 4096, blocks: ['040c2f73616d706c652f70617468'], fields: [[':path: /sample/path']] },
  'C.2.3': { size: 4096, blocks: ['100870617373776f726406736563726574'], fields: [['password: secret']] },
  'C.2.4': { size: 4096, blocks: ['82'], fields: [[':method: GET']] },
  'C.3': {
    size: 4096,
    blocks: [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ],
    fields: requests,
  },
  'C.4': {
    size: 4096,
    blocks: [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ],
    fields: requests,
  },
  'C.5': {
    size: 256,
    blocks: [
      '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d',
      '4803333037c1c0bf',
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
    ],
    fields: responses,
  },
  'C.6': {
    size: 256,
    blocks: [
      '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af270' +
        '87f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ],
    fields: responses,
  },
};

const broken: Record<string, string> = {
  'index 0': '80',
  'an index beyond the table': 'be',
  'an integer without end': 'ffffffffffffffffff7f',
  'an integer that is cut off': 'ff80',
  'a string that is longer than its block': '400a63',
  'a string without a length': '00',
  'a size update after a field': '8220',
  'a size update over the limit': '3fe21f',
  'a coded end of string': '008a3fffffffffffffffff',
  'padding of eight bits': '0083ff',
  'padding with zeros': '00811800',
};

const fieldName = fc.stringMatching(/^x-[a-z0-9]{1,6}$/);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'b'.repeat(300), 'same'),
  fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,40}$/),
);
const headers = fc.dictionary(fc.oneof(fieldName, fc.constantFrom('authorization', 'date', ':path')), value, {
  maxKeys: 8,
  noNullPrototype: true,
});

describe('HPACK', () => {
  for (const [name, { size, blocks, fields }] of Object.entries(examples)) {
    it(`decodes example ${name} of RFC 7541`, () => {
      const decoder = new HpackDecoder(MAX_LIST);
      decoder.limit(size);

      const decoded = blocks.map((block) => decode(decoder, Buffer.from(block, 'hex')));

      assert.deepEqual(decoded, fields);
    });
  }

  for (const [what, block] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      assert.equal(codeOf(block), ErrorCode.COMPRESSION_ERROR);
    });
  }

  it('has a complete Huffman code', () => {
    const share = CODE_LENGTHS.reduce((sum, length) => sum + 2 ** -length, 0);

    assert.equal(CODE_LENGTHS.length, 257);
    assert.equal(share, 1);
  });

  it('refuses a list that is long by referring to one long field over and over', () => {
    // A field of 1 + 3968 bytes that goes into the table.
    const long = `4001617f811e${'62'.repeat(3968)}`;

    assert.equal(codeOf(long + 'be'.repeat(5)), ErrorCode.ENHANCE_YOUR_CALM);
  });

  it('holds the peer to a table of size 0 once that is agreed', () => {
    const decoder = new HpackDecoder(MAX_LIST);
    decode(decoder, Buffer.from(examples['C.2.1']!.blocks[0]!, 'hex'));
    assert.deepEqual(decode(decoder, Buffer.from('be', 'hex')), ['custom-key: custom-header']);

    decoder.limit(0);

    assert.throws(() => decode(decoder, Buffer.from('be', 'hex')), { code: ErrorCode.COMPRESSION_ERROR });
  });

  it('answers any bytes with fields or a connection error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), (blocks) => {
        const decoder = new HpackDecoder(MAX_LIST);
        try {
          for (const block of blocks) decode(decoder, block);
        } catch (error) {
          assert.ok(error instanceof ConnectionError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('encodes what it decodes, whatever the size of the table and its changes', () => {
    const step = fc.record({ headers, limit: fc.option(fc.constantFrom(0, 60, 100, 200, 4096, 1e6)) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder(1e6);
        for (const { headers, limit } of steps) {
          if (limit !== null) {
            encoder.limit(limit);
            decoder.limit(limit);
          }
          const expected = Object.entries(headers).map(([name, text]) => `${name}: ${text}`);
          assert.deepEqual(decode(decoder, encode(encoder, headers)), expected);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('goes on after a header that cannot be sent', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(MAX_LIST);
    const output = new Output();
    output.reserve(1000);

    assert.throws(() => encoder.encode(output, {}, { 'x-a': '1', 'x-b': 'line\nbreak' }), TypeError);
    assert.throws(() => encoder.encode(output, {}, { 'x-a': '1', 'X-Upper': '1' }), TypeError);
    assert.throws(() => encoder.encode(output, {}, { connection: 'close' }), TypeError);
    assert.equal(output.length, 0);

    assert.deepEqual(decode(decoder, encode(encoder, { 'x-a': '1' })), ['x-a: 1']);
    assert.deepEqual(decode(decoder, encode(encoder, { 'x-a': '1' })), ['x-a: 1']);
  });

  it('never puts credentials into a table, and says so', () => {
    const encoder = new HpackEncoder();

    const blocks = [1, 2, 3].map(() => encode(encoder, { authorization: 'bearer secret' }));

    // The pattern of a never-indexed literal, and the static table's index 23 in an integer of four bits.
    for (const block of blocks) assert.equal(block.subarray(0, 2).toString('hex'), '1f08');
  });

  it('sends a field that repeats in one byte', () => {
    const encoder = new HpackEncoder();
    const headers = { 'apns-topic': 'net.peal.app' };

    const sizes = [1, 2, 3].map(() => encode(encoder, headers).length);

    assert.deepEqual(sizes, [25, 1, 1]);
  });
});
