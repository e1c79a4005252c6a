import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CHARACTERS,
  charactersOf,
  derivedCharacters,
  formOf,
  isCharacters,
  LOWER_CASE,
} from '../../lib/protocol/characters.ts';
import { GENERATORS } from './generators.ts';

const LOOK_ALIKES = /[0Oo1lIi]/;

for (const [what, { make, length, bits, times = 2_000 }] of Object.entries(GENERATORS)) {
  test(`a ${what} is letters and digits that are not mistaken for others, and nobody guesses it`, async () => {
    const made = new Set<string>();
    for (let n = 0; n < times; n++) made.add(await make(n));

    for (const text of made) assert.match(text, formOf(length));
    assert.equal(made.size, times);
    const used = new Set([...made].flatMap((text) => [...text.slice(-10)]));
    assert.equal(used.size, what === 'recovery code' ? LOWER_CASE.length : CHARACTERS.length);
    const free = what.endsWith('key') || ['app token', 'receipt'].includes(what) ? length - 1 : length;
    const entropy = (what === 'session secret' ? 30 : free) * Math.log2(used.size);
    assert.ok(Math.floor(entropy) === bits, String(entropy));
  });
}

test('the alphabets have no look-alikes, nothing twice, and nothing that Pushover’s clients refuse', () => {
  for (const alphabet of [CHARACTERS, LOWER_CASE]) {
    assert.match(alphabet, /^[A-Za-z0-9]+$/);
    assert.doesNotMatch(alphabet, LOOK_ALIKES);
    assert.equal(new Set(alphabet).size, alphabet.length);
  }
  const all = Array.from({ length: 0x250 }, (_, code) => String.fromCodePoint(code));
  assert.deepEqual(all.filter((one) => isCharacters(one, 1)).sort(), [...CHARACTERS].sort());
  assert.equal(isCharacters('a\n', 1), false);
});

test('no character is likelier than another: of all bytes each gives as many', () => {
  for (const alphabet of [CHARACTERS, LOWER_CASE]) {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const rounds = 7;
    const fair = Math.floor(256 / alphabet.length);

    const text = charactersOf(() => bytes, rounds * fair * alphabet.length, alphabet);

    const counts = [...Map.groupBy(text, (one) => one).values()].map((those) => those.length);
    assert.deepEqual(counts, Array(alphabet.length).fill(rounds * fair));
  }
});

test('what follows from a text is the same each time, whatever its length, and another’s is another', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.integer({ min: 20, max: 300 }), (one, other, length) => {
      const derived = derivedCharacters(one, length);

      assert.match(derived, formOf(length));
      assert.equal(derivedCharacters(Buffer.from(one), length), derived);
      assert.ok(derivedCharacters(one, length + 40).startsWith(derived));
      assert.equal(derivedCharacters(other, length) === derived, one === other);
    }),
    { seed: 45, numRuns: 200 },
  );
});
