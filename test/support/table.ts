import { after, before } from 'node:test';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Table } from '../../lib/storage/table.ts';
import { startDynalite } from '../../local/resources/dynalite.ts';

/** An empty Directory for the tests of a file that need no more of Peal. */
export const useDirectory = (): (() => Table) => useTable('Directory', 'S');

/** An empty Mailbox for the tests of a file that need no more of Peal. */
export const useMailbox = (): (() => Table) => useTable('Mailbox', 'N');

/** @param sort type of its sort keys: texts or numbers */
function useTable(name: string, sort: 'N' | 'S'): () => Table {
  let table: Table | undefined;
  let close: () => Promise<void> = async () => {};
  before(async () => {
    const emulator = await startDynalite();
    const plain = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${emulator.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    await plain.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: sort },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
    table = { client: DynamoDBDocumentClient.from(plain), name };
    close = async () => {
      plain.destroy();
      await emulator.close();
    };
  });
  after(() => close());
  return () => table!;
}
