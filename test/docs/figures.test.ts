/** The pages of figures are what is made of the readings that are kept, at the prices that are kept. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COUNTED_ONE_IN } from '../../bench/lib/burst.ts';
import { costPage, readmeOf } from '../../bench/lib/cost-page.ts';
import { priceTable } from '../../bench/lib/idle.ts';
import { PRICES } from '../../bench/lib/prices.ts';
import { keptReadings } from '../../bench/lib/readings.ts';
import { scalePage } from '../../bench/lib/scale-page.ts';
import { SCENARIOS } from '../../bench/lib/scenarios.ts';
import { currentAssembly } from '../../local/assembly.ts';
import { MINIMAL } from '../support/configs.ts';

const page = (name: string) => readFileSync(join(import.meta.dirname, '..', '..', name), 'utf8');
const AGAIN = 'run npm run docs:figures, or node bench/pages.ts --render if only words or prices changed';

test('every scenario has been measured', () => {
  const { messages } = keptReadings();

  assert.deepEqual(Object.keys(messages).sort(), Object.keys(SCENARIOS).sort(), AGAIN);
});

test('the pages are made of the readings that are kept', () => {
  const readings = keptReadings();

  assert.equal(page('docs/cost.md'), costPage(readings), AGAIN);
  assert.equal(page('docs/scale.md'), scalePage(readings), AGAIN);
  assert.match(page('README.md'), /a million at list price/);
  assert.equal(page('README.md'), readmeOf(page('README.md'), readings), AGAIN);
});

test('the page of costs has the prices that it is computed with, and each line is its amount at its price', () => {
  const cost = page('docs/cost.md');

  assert.ok(cost.includes(priceTable()), AGAIN);
  const first = cost.split('\n## ').find((part) => part.startsWith('One device'))!;
  const lines = PRICES.flatMap(({ item, perMillion }) => {
    const row = first.split('\n').find((line) => line.startsWith(`| ${item} `));
    if (!row) return [];
    const [, , price, amount, dollars] = row.split('|').map((cell) => Number(cell.trim().replace('$', '')));
    return [{ item, perMillion, price, amount: amount!, dollars: dollars! }];
  });
  assert.ok(lines.length > 5);
  for (const { item, perMillion, price, amount, dollars } of lines) {
    assert.equal(price, perMillion, item);
    // The amount is rounded to three figures, the dollars to cents.
    assert.ok(Math.abs(amount * perMillion - dollars) <= 0.006 + dollars * 0.005, item);
  }
});

test('the default burst limit counts as many messages as the pages say', async () => {
  const file = join(await currentAssembly(MINIMAL), 'PealApi.template.json');
  const { Resources } = JSON.parse(readFileSync(file, 'utf8')) as {
    Resources: Record<string, { Properties?: { Environment?: { Variables?: Record<string, string> } } }>;
  };

  const limits = Object.values(Resources).flatMap(
    ({ Properties }) => Properties?.Environment?.Variables?.BURST ?? [],
  );

  assert.deepEqual(limits, [String(COUNTED_ONE_IN * 100)]);
});
