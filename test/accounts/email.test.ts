/** The one form of an address of e-mail, which is the key of its account wherever one is made, found or counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalEmail } from '../../lib/accounts/email.ts';

test('an address is the same in whatever case, with blanks around it, composed or not, its domain in Unicode or ASCII', () => {
  for (const [given, canonical] of [
    ['ann@example.org', 'ann@example.org'],
    ['Ann.Smith+Peal@EXAMPLE.org', 'ann.smith+peal@example.org'],
    ['\t ann@example.org \n', 'ann@example.org'],
    ['ann@example.org.', 'ann@example.org'],
    ['RE\u0301NE\u0301@example.org', 'réné@example.org'],
    ['réné@example.org', 'réné@example.org'],
    ['ann@Bücher.example', 'ann@xn--bcher-kva.example'],
    ['ann@BU\u0308CHER.example', 'ann@xn--bcher-kva.example'],
    ['ann@XN--BCHER-KVA.example', 'ann@xn--bcher-kva.example'],
    ['ΝΊΚΟΣ@example.org', 'νίκοσ@example.org'],
  ] as const) {
    assert.equal(canonicalEmail(given), canonical);
  }
});

test('what is no address has no form', () => {
  const endless = `${'x'.repeat(250)}@example.org`;
  const none = [
    '',
    '-',
    'ann',
    '@x',
    'ann@',
    'a@b@c',
    'a b@x',
    'ann@bücher.example/x',
    'ann@bü%63her.example',
    endless,
  ];
  for (const given of none) assert.equal(canonicalEmail(given), undefined, given);
});

test('the form of a form is itself, whatever was given', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(text, text, (local, domain) => {
      const email = canonicalEmail(`${local}@${domain}`);
      if (email === undefined) return;
      assert.equal(canonicalEmail(email), email);
      assert.equal(canonicalEmail(` ${email}`), email);
    }),
    { numRuns: 300, seed: 46 },
  );
});
