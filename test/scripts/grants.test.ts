import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addUp, readUses, reportOf } from '../../scripts/grants/report.ts';

const put = {
  role: 'PealApi-SendRole',
  action: 'dynamodb:PutItem',
  resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/Directory',
};

test('adds up what all runs used, each partition by itself', () => {
  const runs = [
    { ...put, partition: 'tag#*', times: 2 },
    { ...put, partition: 'receipt#*', times: 0 },
    { ...put, partition: 'tag#*', times: 3 },
  ];

  const uses = addUp(runs);

  assert.deepEqual(uses, [
    { ...put, partition: 'receipt#*', times: 0 },
    { ...put, partition: 'tag#*', times: 5 },
  ]);
});

test('tells of every grant by role, and which were never used', () => {
  const report = reportOf([
    { ...put, partition: 'receipt#*', times: 0 },
    { ...put, action: 'dynamodb:Query', times: 1 },
    { ...put, role: 'PealApi-SyncRole', times: 12 },
  ]);

  assert.equal(
    report,
    [
      'PealApi-SendRole',
      '  dynamodb:PutItem  dynamodb table/Directory in receipt#*  used by the suite: NEVER',
      '  dynamodb:Query    dynamodb table/Directory               used by the suite: 1 time',
      '',
      'PealApi-SyncRole',
      '  dynamodb:PutItem  dynamodb table/Directory  used by the suite: 12 times',
      '',
    ].join('\n'),
  );
});

test('reads the notes of a folder, and none where there is no folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peal-grants-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [n, times] of [4, 1].entries()) {
    await writeFile(join(folder, `${n}.json`), JSON.stringify([{ ...put, times }]));
  }

  const [found, none] = [await readUses(folder), await readUses(join(folder, 'missing'))];

  assert.deepEqual(found, [{ ...put, times: 5 }]);
  assert.deepEqual(none, []);
});
