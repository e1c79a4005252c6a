/** DynamoDB behind the front: who may touch which table, capacity counted, what the emulator lacks. */
import { asList, isObject, type Json, type JsonObject } from '../template/json.ts';
import { arn } from '../template/pseudo.ts';
import type { CloudLog, Meter } from '../types.ts';
import type { Backend } from './backend.ts';
import { type Access, type Answer, answerJson, type Call, jsonAnswer, type Service } from './call.ts';
import { emptyKey, itemContext, tableName } from './dynamodb-context.ts';
import { limitPartitions, type PartitionLimit, type Serve } from './partition-limit.ts';

/** A table as its `CreateTable` input tells. */
export interface TableShape {
  name: string;
  partitionKey: string;
  sortKey?: string;
  indexes: { keys: string[]; projected: 'all' | Set<string> }[];
}

export interface DynamoOptions {
  backend: Backend;
  /** Tables by name. */
  tables: ReadonlyMap<string, TableShape>;
  meter: Meter;
  log: CloudLog;
  /** What a partition serves a second; without it, partitions have no limit. */
  partitionLimit?: PartitionLimit | undefined;
  /** The clock that the limit goes by, milliseconds. */
  now?: () => number;
}

const READS = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan']);
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
const TABLE_ACTIONS = new Set([
  'DescribeTable',
  'CreateTable',
  'DeleteTable',
  'UpdateTable',
  'DescribeTimeToLive',
]);
const EMPTY_KEY =
  'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.';
const CAPACITY = Buffer.from('{"ReturnConsumedCapacity":"TOTAL",');
/** The emulator wants a signature to look at; it checks none. */
const HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
  'x-amz-date': '20260101T000000Z',
};

/** The DynamoDB service over a dynalite server. */
export function createDynamo(options: DynamoOptions): Service {
  const { backend, tables, meter, log, partitionLimit, now = Date.now } = options;

  const forward = (action: string, body: Buffer | string): Promise<Answer> =>
    backend.send('POST', '/', { ...HEADERS, 'x-amz-target': `DynamoDB_20120810.${action}` }, body);

  const serve: Serve = async (call, spent) => {
    const { action, input } = call;
    const asked = input.ReturnConsumedCapacity !== undefined && input.ReturnConsumedCapacity !== 'NONE';
    const answer = await forward(action, asked ? call.body : withCapacity(call));
    const output = answerJson(answer);
    if (answer.status !== 200) {
      if (!String(output.__type).endsWith('#ConditionalCheckFailedException')) return answer;
      // A write refused by its condition is billed as one of the item found, at least one unit.
      meter.count(call.caller.name, 'dynamodb.wru', 1);
      return addItemFound(call, answer, output);
    }
    let units = 0;
    for (const consumed of asList(output.ConsumedCapacity).filter(isObject)) {
      units += Number(consumed.CapacityUnits);
      spent?.(tableName(consumed.TableName), Number(consumed.CapacityUnits));
    }
    const item = READS.has(action) ? 'dynamodb.rru' : 'dynamodb.wru';
    meter.count(call.caller.name, item, units + indexUnits(call, tables));
    if (asked) return answer;
    delete output.ConsumedCapacity;
    return jsonAnswer(200, output, '1.0', { 'x-amzn-requestid': answer.headers['x-amzn-requestid'] ?? '' });
  };

  const limited = partitionLimit ? limitPartitions(partitionLimit, tables, now, serve) : serve;

  const run = async (call: Call): Promise<Answer> => {
    const { action } = call;
    meter.count(call.caller.name, 'dynamodb.requests', 1);
    if (!READS.has(action) && !WRITES.has(action)) return forward(action, call.body);
    const empty = emptyKey(call, tables);
    return empty === undefined ? limited(call) : validationException(`${EMPTY_KEY} Key: ${empty}`);
  };

  /** `ReturnValuesOnConditionCheckFailure`, which dynalite lacks: the item is read right after. */
  const addItemFound = async (call: Call, answer: Answer, output: JsonObject): Promise<Answer> => {
    if (call.input.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD') return answer;
    const key = keyOf(call);
    if (!key) return answer;
    const input = { TableName: call.input.TableName, Key: key, ConsistentRead: true };
    const { Item } = answerJson(await forward('GetItem', JSON.stringify(input)));
    return Item === undefined ? answer : jsonAnswer(answer.status, { ...output, Item });
  };

  /** The primary key of a PutItem's, UpdateItem's or DeleteItem's item. */
  const keyOf = (call: Call): Json | undefined => {
    if (call.input.Key !== undefined) return call.input.Key;
    const item = call.input.Item;
    const shape = tables.get(tableName(call.input.TableName));
    if (!isObject(item) || !shape) return undefined;
    return Object.fromEntries(
      keyNames(shape).flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])),
    );
  };

  return {
    accesses: (call) => accesses(call, tables, log),
    deny: (_call, message) =>
      jsonAnswer(400, { __type: 'com.amazon.coral.service#AccessDeniedException', Message: message }),
    run,
  };
}

function validationException(message: string): Answer {
  return jsonAnswer(400, { __type: 'com.amazon.coral.validate#ValidationException', message });
}

/** Partition key, then sort key if the table has one. */
function keyNames(shape: TableShape): string[] {
  return shape.sortKey === undefined ? [shape.partitionKey] : [shape.partitionKey, shape.sortKey];
}

function tableArn(table: Json | undefined, index?: Json): string {
  const suffix = typeof index === 'string' ? `/index/${index}` : '';
  return arn('dynamodb', `table/${tableName(table)}${suffix}`);
}

function accesses(call: Call, tables: DynamoOptions['tables'], log: CloudLog): Access[] | Answer {
  const { action, input } = call;
  const context = (table: Json | undefined) => () => itemContext(call, tables.get(tableName(table)));
  const one = (table: Json | undefined, index?: Json): Access => ({
    action: `dynamodb:${action}`,
    resource: tableArn(table, index),
    context: context(table),
  });
  if (action === 'BatchGetItem' || action === 'BatchWriteItem') {
    return Object.keys(isObject(input.RequestItems) ? input.RequestItems : {}).map((table) => one(table));
  }
  if (action === 'ListTables') return [{ action: 'dynamodb:ListTables', resource: '*' }];
  if (READS.has(action) || WRITES.has(action)) return [one(input.TableName, input.IndexName)];
  if (TABLE_ACTIONS.has(action)) return [one(input.TableName)];
  const message = action.startsWith('Transact')
    ? `${action} is not available in the local cloud: its DynamoDB stand-in has no transactions`
    : `${action} is not available in the local cloud`;
  log('error', message, { function: call.caller.name });
  return jsonAnswer(400, { __type: 'com.amazon.coral.service#UnknownOperationException', message });
}

/** The request with `ReturnConsumedCapacity` put in front, without writing the rest anew. */
function withCapacity(call: Call): Buffer | string {
  if (call.input.ReturnConsumedCapacity !== undefined || call.body[0] !== 0x7b || call.body[1] === 0x7d) {
    return JSON.stringify({ ...call.input, ReturnConsumedCapacity: 'TOTAL' });
  }
  return Buffer.concat([CAPACITY, call.body.subarray(1)]);
}

/**
 * Write units that puts cost in the table's secondary indexes, which dynalite leaves out: each index that has the item
 * takes the projected item rounded up to 1 KB. Updates and deletes of indexed items are not counted.
 */
function indexUnits(call: Call, tables: DynamoOptions['tables']): number {
  let units = 0;
  const add = (table: Json, item: Json | undefined): void => {
    const shape = tables.get(tableName(table));
    if (!shape || !isObject(item)) return;
    for (const index of shape.indexes) {
      if (!index.keys.every((key) => item[key] !== undefined)) continue;
      const { projected } = index;
      const names = Object.keys(item).filter((name) => projected === 'all' || projected.has(name));
      const size = names.reduce((sum, name) => sum + name.length + attributeSize(item[name] as Json), 0);
      units += Math.max(1, Math.ceil(size / 1024));
    }
  };
  if (call.action === 'PutItem') add(call.input.TableName as Json, call.input.Item);
  if (call.action === 'BatchWriteItem' && isObject(call.input.RequestItems)) {
    for (const [table, requests] of Object.entries(call.input.RequestItems)) {
      for (const request of asList(requests)) {
        if (isObject(request) && isObject(request.PutRequest)) add(table, request.PutRequest.Item);
      }
    }
  }
  return units;
}

/** About what DynamoDB counts for an attribute value in bytes. */
function attributeSize(value: Json): number {
  if (!isObject(value)) return 0;
  const [[type, content] = ['NULL', true]] = Object.entries(value);
  if (type === 'S') return Buffer.byteLength(String(content));
  if (type === 'B') return Math.floor((String(content).length * 3) / 4);
  if (type === 'N') return Math.ceil(String(content).length / 2) + 1;
  if (type === 'M' && isObject(content)) {
    return Object.entries(content).reduce(
      (sum, [name, one]) => sum + name.length + attributeSize(one) + 1,
      3,
    );
  }
  if (type === 'L') return asList(content).reduce<number>((sum, one) => sum + attributeSize(one) + 1, 3);
  if (type.endsWith('S')) return asList(content).reduce<number>((sum, one) => sum + String(one).length, 0);
  return 1;
}
