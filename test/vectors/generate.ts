/**
 * Makes sealed-box.json from fixed inputs with the reference implementation:
 *
 *     node test/vectors/generate.ts > test/vectors/sealed-box.json
 */
import { blake2b } from '@noble/hashes/blake2.js';
import nacl from 'tweetnacl';
import { sealReference } from '../../lib/sealing/reference.ts';

const utf8 = new TextEncoder();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** 32 bytes that follow from a label, and so are nobody's secret. */
const bytesFrom = (label: string, length = 32) => blake2b(utf8.encode(`peal vector: ${label}`), { dkLen: length });

const plain = { v: 1, id: 1, umid: 1, app: 'Peal', aid: 1, icon: 'default', date: 1_735_689_600, message: 'Hi', priority: 0 };
const full = {
  v: 1,
  id: 9_007_199_254_740_991,
  umid: 9_007_199_254_740_990,
  app: 'Überwachung',
  aid: 2_147_483_647,
  icon: 'backup-7',
  date: 1_735_689_600,
  received: 1_735_689_605,
  message: '<b>Disk full</b> 🔔 \u0000 "quoted" \\ 日本語',
  title: 'Größe: 95 %',
  url: 'https://example.org/?a=1&b=2',
  url_title: 'Show',
  priority: 2,
  sound: 'siren',
  html: 1,
  expires: 1_735_693_200,
};
const future = { v: 2, id: 7, whatever: ['comes', 'next'] };
const extra = { ...plain, id: 2, umid: 2, added_later: { to: 'version 1' } };

const PLAINTEXTS: [name: string, plaintext: Uint8Array][] = [
  ['empty', new Uint8Array()],
  ['one byte', Uint8Array.of(0xff)],
  ['63 bytes: ends inside a Salsa20 block', bytesFrom('63', 63)],
  ['64 bytes: ends with a Salsa20 block', bytesFrom('64', 64)],
  ['1,024 bytes', Uint8Array.from({ length: 1024 }, (_, i) => i & 0xff)],
  ['envelope, required fields', utf8.encode(JSON.stringify(plain))],
  ['envelope, every field', utf8.encode(JSON.stringify(full))],
  ['envelope, a field added later: ignore it', utf8.encode(JSON.stringify(extra))],
  ['envelope of a version to come: keep the sealed message', utf8.encode(JSON.stringify(future))],
  ['not an envelope: no JSON', utf8.encode('{"v":1,')],
];

/** The content of sealed-box.json. */
export function makeVectors() {
  const device = nacl.box.keyPair.fromSecretKey(bytesFrom('device'));
  const other = nacl.box.keyPair.fromSecretKey(bytesFrom('other device'));
  const opens = PLAINTEXTS.map(([name, plaintext], i) => {
    const recipient = i % 2 === 0 ? device : other;
    const ephemeral = nacl.box.keyPair.fromSecretKey(bytesFrom(`ephemeral ${i}`));
    const sealed = sealReference(plaintext, recipient.publicKey, ephemeral.secretKey);
    return {
      name,
      recipient_secret_key: hex(recipient.secretKey),
      recipient_public_key: hex(recipient.publicKey),
      ephemeral_secret_key: hex(ephemeral.secretKey),
      ephemeral_public_key: hex(ephemeral.publicKey),
      shared_secret: hex(nacl.scalarMult(ephemeral.secretKey, recipient.publicKey)),
      box_key: hex(nacl.box.before(recipient.publicKey, ephemeral.secretKey)),
      nonce: hex(blake2b(Buffer.concat([ephemeral.publicKey, recipient.publicKey]), { dkLen: 24 })),
      plaintext: hex(plaintext),
      ...(name.startsWith('envelope') ? { plaintext_utf8: Buffer.from(plaintext).toString() } : {}),
      sealed: hex(sealed),
      sealed_base64: base64(sealed),
    };
  });
  return { format: 'crypto_box_seal', version: 1, opens, refused: refused(device), public_keys_refused: BAD_KEYS };
}

function refused(device: nacl.BoxKeyPair) {
  const good = sealReference(utf8.encode('good'), device.publicKey, bytesFrom('refused'));
  const flipped = (at: number, bit: number) => good.map((byte, i) => (i === at ? byte ^ bit : byte));
  const cases: [name: string, sealed: Uint8Array][] = [
    ['empty', new Uint8Array()],
    ['47 bytes: shorter than the overhead', good.slice(0, 47)],
    ['last byte missing', good.slice(0, -1)],
    ['one byte too many', Uint8Array.of(...good, 0)],
    ['a bit of the ephemeral key flipped', flipped(0, 1)],
    ['the bit of the ephemeral key that X25519 ignores flipped', flipped(31, 0x80)],
    ['a bit of the tag flipped', flipped(32, 1)],
    ['a bit of the ciphertext flipped', flipped(48, 1)],
    ['ephemeral key of low order', Uint8Array.of(...new Uint8Array(32), ...good.slice(32))],
    ['sealed for another device', sealReference(utf8.encode('good'), nacl.scalarMult.base(bytesFrom('third')), bytesFrom('x'))],
  ];
  return cases.map(([name, sealed]) => ({
    name,
    recipient_secret_key: hex(device.secretKey),
    recipient_public_key: hex(device.publicKey),
    sealed: hex(sealed),
    sealed_base64: base64(sealed),
  }));
}

const P_MINUS_1 = `ec${'ff'.repeat(30)}7f`;
const P = `ed${'ff'.repeat(30)}7f`;
const P_PLUS_1 = `ee${'ff'.repeat(30)}7f`;
/** The points of order 1, 2, 4 and 8 on Curve25519 and on its twist, and encodings that are not reduced. */
const BAD_KEYS = [
  { name: 'low order: 0', key: '00'.repeat(32) },
  { name: 'low order: 1', key: `01${'00'.repeat(31)}` },
  { name: 'low order: p - 1', key: P_MINUS_1 },
  { name: 'low order: order 8', key: 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800' },
  { name: 'low order: order 8', key: '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157' },
  { name: 'not reduced: p, which is 0', key: P },
  { name: 'not reduced: p + 1, which is 1', key: P_PLUS_1 },
  { name: 'not reduced: 2^255 - 1', key: `${'ff'.repeat(31)}7f` },
  { name: 'not reduced: bit 255 set', key: `09${'00'.repeat(30)}80` },
  { name: '31 bytes', key: '09'.repeat(31) },
  { name: '33 bytes', key: '09'.repeat(33) },
];

if (import.meta.main) process.stdout.write(`${JSON.stringify(makeVectors(), null, 2)}\n`);
