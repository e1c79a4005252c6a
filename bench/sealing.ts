/**
 * How many seals of 1 KiB a second, one thread: Peal's beside tweetnacl and libsodium.
 *
 *     node bench/sealing.ts [seconds for each, 1.5]
 *
 * Exit code 1 if a target is missed.
 */
import { createRequire } from 'node:module';
import os from 'node:os';
import { blake2b } from '@noble/hashes/blake2.js';
import sodium from 'libsodium-wrappers';
import nacl from 'tweetnacl';
import { createSealer } from '../lib/sealing/seal.ts';
import { type Contestant, sideBySide } from './lib/side-by-side.ts';

/** The one function of sodium-native (which has no types) that is measured. */
interface SodiumNative {
  crypto_box_seal(sealed: Buffer, plaintext: Uint8Array, publicKey: Uint8Array): void;
}

const ROUNDS = 5;
const GROUP = 50;
const BASELINE = 'tweetnacl alone';
const ONE = 'Peal, 1 device';
const FIFTY = `Peal, ${GROUP} devices`;
/** What the design asks for, as multiples of tweetnacl alone. */
const TARGETS: Record<string, number> = { [ONE]: 5, [FIFTY]: 10 };

const native = createRequire(import.meta.url)('sodium-native') as SodiumNative;
await sodium.ready;

const plaintext = nacl.randomBytes(1024);
const keys = Array.from({ length: GROUP }, () => nacl.box.keyPair().publicKey);
const [key = new Uint8Array()] = keys;
const warm = createSealer();
const cold = createSealer({ cacheSize: 0 });
const nativeBox = Buffer.alloc(plaintext.length + 48);

const contestants: Contestant[] = [
  { name: BASELINE, units: 1, run: () => sealWithTweetnacl(key) },
  { name: 'libsodium (wasm)', units: 1, run: () => void sodium.crypto_box_seal(plaintext, key) },
  {
    name: 'sodium-native',
    units: 1,
    run: () => native.crypto_box_seal(nativeBox, plaintext, key),
  },
  { name: `${ONE}, key not in cache`, units: 1, run: () => void cold.sealForAll(plaintext, [key]) },
  { name: ONE, units: 1, run: () => void warm.sealForAll(plaintext, [key]) },
  { name: `${FIFTY}, keys not in cache`, units: GROUP, run: () => void cold.sealForAll(plaintext, keys) },
  { name: FIFTY, units: GROUP, run: () => void warm.sealForAll(plaintext, keys) },
];

const seconds = Number(process.argv[2] ?? 1.5);
const rates = sideBySide(contestants, ROUNDS, (seconds * 1000) / ROUNDS);
const baseline = rates.find(({ name }) => name === BASELINE)?.median ?? Number.NaN;

const count = (n: number) => Math.round(n).toLocaleString('en');
console.log(
  `Sealing ${count(plaintext.length)} bytes, one thread of ${os.cpus()[0]?.model}, node ${process.version}\n`,
);
console.log('| | seals/s (slowest – fastest round) | × tweetnacl | target |\n|---|---|---|---|');
for (const { name, median, slowest, fastest } of rates) {
  const ratio = median / baseline;
  const target = TARGETS[name];
  const verdict = target === undefined ? '' : `≥ ${target}: ${ratio >= target ? 'met' : 'MISSED'}`;
  if (target !== undefined && ratio < target) process.exitCode = 1;
  console.log(
    `| ${name} | ${count(median)} (${count(slowest)} – ${count(fastest)}) | ${ratio.toFixed(1)} | ${verdict} |`,
  );
}

/** `crypto_box_seal` with tweetnacl as it comes; without the copies that the reference makes for clarity. */
function sealWithTweetnacl(publicKey: Uint8Array): void {
  const ephemeral = nacl.box.keyPair();
  const both = new Uint8Array(64);
  both.set(ephemeral.publicKey);
  both.set(publicKey, 32);
  const box = nacl.box(plaintext, blake2b(both, { dkLen: 24 }), publicKey, ephemeral.secretKey);
  const sealed = new Uint8Array(32 + box.length);
  sealed.set(ephemeral.publicKey);
  sealed.set(box, 32);
}
