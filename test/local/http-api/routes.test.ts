import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRouter } from '../../../local/http-api/routes.ts';

const router = (...keys: string[]) => {
  const match = createRouter(keys.map((routeKey) => ({ routeKey, functionArn: routeKey })));
  return (method: string, path: string) => {
    const found = match(method, path);
    return found === undefined ? undefined : [found.route.routeKey, found.parameters];
  };
};

test('prefers a full match to a greedy one, and that to $default', () => {
  const route = router(
    'GET /pets/dog/1',
    'GET /pets/dog/{id}',
    'GET /pets/{proxy+}',
    'ANY /{proxy+}',
    '$default',
  );

  assert.deepEqual(route('GET', '/pets/dog/1'), ['GET /pets/dog/1', {}]);
  assert.deepEqual(route('GET', '/pets/dog/2'), ['GET /pets/dog/{id}', { id: '2' }]);
  assert.deepEqual(route('GET', '/pets/cat/1'), ['GET /pets/{proxy+}', { proxy: 'cat/1' }]);
  assert.deepEqual(route('POST', '/test/5'), ['ANY /{proxy+}', { proxy: 'test/5' }]);
  assert.deepEqual(route('GET', '/'), ['$default', {}]);
});

test('prefers the method to ANY on the same path, and ignores routes of other methods', () => {
  const route = router('ANY /a', 'POST /a', 'GET /b', 'ANY /{x}');

  assert.equal(route('POST', '/a')?.[0], 'POST /a');
  assert.equal(route('PUT', '/a')?.[0], 'ANY /a');
  assert.deepEqual(route('POST', '/b'), ['ANY /{x}', { x: 'b' }]);
});

test('leads a preflight to an OPTIONS route', () => {
  const route = router('POST /1/messages.json', 'OPTIONS /{proxy+}');

  assert.deepEqual(route('OPTIONS', '/1/messages.json'), ['OPTIONS /{proxy+}', { proxy: '1/messages.json' }]);
  assert.equal(route('GET', '/1/messages.json'), undefined);
});

test('decodes parameters and leaves bad encoding as it is', () => {
  const route = router('GET /1/devices/{id}/x.json', 'GET /files/{rest+}');

  assert.deepEqual(route('GET', '/1/devices/a%20b%2Fc/x.json')?.[1], { id: 'a b/c' });
  assert.deepEqual(route('GET', '/1/devices/%zz/x.json')?.[1], { id: '%zz' });
  assert.deepEqual(route('GET', '/files/a%20b/c')?.[1], { rest: 'a b/c' });
});

test('takes a slash at the end for a segment, and no empty segment for a parameter', () => {
  const route = router('GET /a/{id}', 'GET /b', 'GET /c/{rest+}');

  assert.equal(route('GET', '/a/'), undefined);
  assert.equal(route('GET', '/b/'), undefined);
  assert.equal(route('GET', '/c'), undefined);
  assert.equal(route('GET', '/c/'), undefined);
});

test('refuses route keys that AWS refuses', () => {
  assert.throws(() => router('/messages'), /not "METHOD \/path"/);
  assert.throws(() => router('GET /{a+}/b'), /greedy parameter before its end/);
  assert.throws(() => router('GET /a', 'GET /a'), /occurs twice/);
});

const word = fc.constantFrom('a', 'b', 'c');
const keyOf = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'ANY'),
    fc.array(fc.oneof(word, fc.constant('{p}')), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([method, segments, greedy]) => {
    const named = segments.map((segment, at) => (segment === '{p}' ? `{p${at}}` : segment));
    return `${method} /${[...named, ...(greedy ? ['{rest+}'] : [])].join('/')}`;
  });

/** The same question answered the slow way: does this key fit the path at all? */
function fits(key: string, method: string, path: string[]): boolean {
  const [own, pattern = ''] = key.split(' ');
  if (own !== 'ANY' && own !== method) return false;
  const segments = pattern.slice(1).split('/');
  const greedy = segments.at(-1) === '{rest+}';
  const fixed = greedy ? segments.slice(0, -1) : segments;
  if (greedy ? path.length <= fixed.length : path.length !== fixed.length) return false;
  return fixed.every((segment, at) => segment.startsWith('{') || segment === path[at]);
}

test('chooses a route that fits whenever there is one, a literal one first, in whatever order they are listed', () => {
  const keys = fc.uniqueArray(keyOf, { minLength: 1, maxLength: 8 });
  const path = fc.array(word, { minLength: 1, maxLength: 4 });

  fc.assert(
    fc.property(keys, path, fc.constantFrom('GET', 'POST'), (list, segments, method) => {
      const target = `/${segments.join('/')}`;
      const chosen = router(...list)(method, target)?.[0] as string | undefined;
      const reversed = router(...list.toReversed())(method, target)?.[0] as string | undefined;
      const possible = list.filter((key) => fits(key, method, segments));
      assert.equal(chosen !== undefined, possible.length > 0);
      if (chosen === undefined) return;
      assert.ok(possible.includes(chosen));
      const shape = (key: string | undefined) => key?.replaceAll(/\{p\d\}/g, '{p}');
      assert.equal(shape(reversed), shape(chosen));
      if (possible.includes(`${method} ${target}`)) assert.equal(chosen, `${method} ${target}`);
      if (possible.some((key) => !key.includes('{rest+}'))) assert.ok(!chosen.includes('{rest+}'));
    }),
    { numRuns: 2000, examples: [[['GET /a/{rest+}', 'GET /{p0}/b'], ['a', 'b'], 'GET']] },
  );
});
