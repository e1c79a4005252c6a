import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareAssemblies } from '../../local/assembly.ts';

const CACHE = join(import.meta.dirname, '..', '..', '.build', 'cloud');

test('configurations that cannot be synthesized, one beside another, leave nothing behind', async () => {
  await prepareAssemblies([]);
  const before = await readdir(CACHE);

  const made = prepareAssemblies([{ retention: { messages: -1 } }, { retention: { messages: -2 } }]);

  await assert.rejects(made, /could not be synthesized:.*retention\.messages/s);
  assert.deepEqual(await readdir(CACHE), before);
});
