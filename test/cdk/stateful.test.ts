import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Inventory, inventoryOf, lossesOf, unkeptOf } from '../../scripts/stateful/inventory.ts';
import { acceptedInventory, currentInventory } from '../../scripts/stateful/snapshot.ts';

const HELP = `

A deployment would start with an empty resource in the place of one that holds data. The old one is retained, but nothing
reads it any more. Undo the change, or move the data first (docs/operations.md). If it is meant:

    npm run stateful -- --accept
`;

test('no change replaces, renames or drops what holds data', async () => {
  const losses = lossesOf(acceptedInventory(), await currentInventory());

  assert.deepEqual(losses, [], `${losses.join('\n')}${HELP}`);
});

test('what newly holds data is taken into the list', async () => {
  const [accepted, now] = [Object.keys(acceptedInventory()), Object.keys(await currentInventory())];

  assert.deepEqual(
    now.filter((at) => !accepted.includes(at)),
    [],
    'Something newly holds data. Take it into cdk/stateful.json: npm run stateful -- --accept',
  );
});

test('everything that holds data outlives its stack, and tables refuse to be deleted', async () => {
  const inventory = await currentInventory();

  assert.ok(Object.keys(inventory).length >= 8);
  assert.deepEqual(unkeptOf(inventory), []);
});

const table = (change: object = {}) => ({
  Type: 'AWS::DynamoDB::GlobalTable',
  DeletionPolicy: 'Retain',
  UpdateReplacePolicy: 'Retain',
  Properties: {
    KeySchema: [{ AttributeName: 'pk' }],
    Replicas: [{ DeletionProtectionEnabled: true }],
    ...change,
  },
});
const inventory = (resources: Record<string, ReturnType<typeof table>>): Inventory =>
  inventoryOf({ Data: resources });

test('tells a renamed, a dropped, and a replaced resource from one that is only changed', () => {
  const before = inventory({ Table: table() });

  assert.deepEqual(lossesOf(before, inventory({ Other: table() })), [
    'Data/Table (AWS::DynamoDB::GlobalTable) is not there any more: renamed, moved to another stack, or dropped',
  ]);
  assert.deepEqual(lossesOf(before, inventory({ Table: table({ KeySchema: [{ AttributeName: 'id' }] }) })), [
    'Data/Table would be replaced, or filled anew: KeySchema is another',
  ]);
  assert.deepEqual(lossesOf(before, inventory({ Table: table({ TableName: 'mine' }) })), [
    'Data/Table would be replaced, or filled anew: TableName is another',
  ]);
  assert.deepEqual(
    lossesOf(before, inventory({ Table: table({ BillingMode: 'PROVISIONED' }), More: table() })),
    [],
  );
});

test('tells what would not be kept', () => {
  const open = { ...table({ Replicas: [{ DeletionProtectionEnabled: false }] }), DeletionPolicy: 'Delete' };

  assert.deepEqual(unkeptOf(inventory({ Table: open })), [
    'Data/Table would go with its stack: its DeletionPolicy must be Retain',
    'Data/Table may be deleted: it must have deletion protection',
  ]);
});
