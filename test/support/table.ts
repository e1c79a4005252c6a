import { createServer, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before } from 'node:test';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Table } from '../../lib/storage/table.ts';
import { createBackend } from '../../local/aws/backend.ts';
import type { Service } from '../../local/aws/call.ts';
import { createDynamo, type TableShape } from '../../local/aws/dynamodb.ts';
import type { PartitionLimit } from '../../local/aws/partition-limit.ts';
import { createMeter } from '../../local/meter.ts';
import { listen, stop } from '../../local/network/listen.ts';
import { startDynalite } from '../../local/resources/dynalite.ts';

/** What a table for tests has that it usually has not. */
export interface TableOptions {
  /** What a partition serves a second, such as `PARTITION_LIMIT`. Default: whatever is asked of it. */
  partitionLimit?: PartitionLimit;
  /** The clock of that limit, milliseconds. Default the machine's. */
  now?: () => number;
  /** Tries of each call. Default the SDK's. */
  maxAttempts?: number;
}

/** An empty Directory for the tests of a file that need no more of Peal. */
export const useDirectory = (options?: TableOptions): (() => Table) => useTable('Directory', 'S', options);

/** An empty Mailbox for the tests of a file that need no more of Peal. */
export const useMailbox = (options?: TableOptions): (() => Table) => useTable('Mailbox', 'N', options);

/**
 * It is the local cloud's DynamoDB, without IAM: it refuses what DynamoDB refuses and the emulator would take.
 *
 * @param sort type of its sort keys: texts or numbers
 */
function useTable(name: string, sort: 'N' | 'S', { maxAttempts, ...limits }: TableOptions = {}): () => Table {
  const shape: TableShape = { name, partitionKey: 'pk', sortKey: 'sk', indexes: [] };
  let table: Table | undefined;
  let close: () => Promise<void> = async () => {};
  before(async () => {
    const emulator = await startDynalite();
    const backend = createBackend(emulator.listener);
    const tables = new Map([[name, shape]]);
    const dynamo = createDynamo({ backend, tables, meter: createMeter(), log: () => {}, ...limits });
    const server = createServer({ keepAliveTimeout: 60_000 }, serve(dynamo));
    const plain = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${await listen(server, 0)}`,
      region: 'us-east-1',
      ...(maxAttempts !== undefined && { maxAttempts }),
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
      await stop(server);
      await backend.close();
      await emulator.close();
    };
  });
  after(() => close());
  return () => table!;
}

/** Answers every request with a service, without asking who makes it. */
function serve(service: Service): RequestListener {
  const caller = { accessKeyId: 'local', name: 'test', arn: 'arn:aws:iam::000000000000:root' };
  return async (request, response) => {
    const body = await buffer(request);
    const { method = 'POST', url = '/', headers } = request;
    const action = String(headers['x-amz-target']).split('.')[1] ?? '';
    const answer = await service.run({
      caller,
      service: 'dynamodb',
      action,
      input: JSON.parse(body.toString()),
      method,
      url,
      headers: headers as Record<string, string>,
      body,
    });
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  };
}
