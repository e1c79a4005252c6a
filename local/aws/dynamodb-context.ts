/** Condition keys of DynamoDB requests: which partition keys and attributes they touch. */
import type { Context } from '../iam/conditions.ts';
import { asList, isObject, type Json, type JsonObject } from '../template/json.ts';
import type { Call } from './call.ts';
import type { TableShape } from './dynamodb.ts';

/** Words of expressions that are no attribute names. */
const WORDS = new Set(
  'SET REMOVE ADD DELETE AND OR NOT BETWEEN IN attribute_exists attribute_not_exists attribute_type begins_with contains size if_not_exists list_append'
    .split(' ')
    .map((word) => word.toLowerCase()),
);

const EXPRESSIONS = [
  'KeyConditionExpression',
  'FilterExpression',
  'ConditionExpression',
  'UpdateExpression',
  'ProjectionExpression',
];

/**
 * `dynamodb:LeadingKeys`, `dynamodb:Attributes`, `dynamodb:Select` and `dynamodb:ReturnValues` of a request, as far as
 * they can be told from it (Amazon DynamoDB developer guide, "Using IAM policy conditions").
 */
export function itemContext(call: Call, shape: TableShape | undefined): Context {
  const context = new Map<string, readonly string[]>();
  const { input } = call;
  const keys = shape ? leadingKeys(call, shape) : [];
  if (keys.length > 0) context.set('dynamodb:leadingkeys', keys);
  const attributes = attributeNames(call);
  if (attributes.size > 0) context.set('dynamodb:attributes', [...attributes]);
  if (typeof input.Select === 'string') context.set('dynamodb:select', [input.Select]);
  if (typeof input.ReturnValues === 'string') context.set('dynamodb:returnvalues', [input.ReturnValues]);
  return context;
}

/** The name of a table that a request gives by name or ARN. */
export function tableName(value: Json | undefined): string {
  const text = typeof value === 'string' ? value : '';
  return text.startsWith('arn:') ? text.slice(text.lastIndexOf('/') + 1) : text;
}

/** Keys and items that a request holds, batch or not. */
function itemsOf(call: Call, table: string | undefined): JsonObject[] {
  const { input } = call;
  const found: (Json | undefined)[] = [input.Key, input.Item];
  if (isObject(input.RequestItems)) {
    for (const [name, request] of Object.entries(input.RequestItems)) {
      if (table !== undefined && name !== table) continue;
      if (isObject(request)) found.push(...asList(request.Keys));
      for (const one of Array.isArray(request) ? request : []) {
        if (!isObject(one)) continue;
        if (isObject(one.PutRequest)) found.push(one.PutRequest.Item);
        if (isObject(one.DeleteRequest)) found.push(one.DeleteRequest.Key);
      }
    }
  }
  return found.filter(isObject);
}

function leadingKeys(call: Call, shape: TableShape): string[] {
  const values = itemsOf(call, shape.name).map((item) => item[shape.partitionKey]);
  if (call.action === 'Query' && call.input.IndexName === undefined) values.push(queriedKey(call, shape));
  return [...new Set(values.filter(isObject).map((value) => String(Object.values(value)[0])))];
}

/**
 * The key attribute that a request gives an empty value, in an item, a key, or any condition of a query, `begins_with`
 * included; undefined if none. DynamoDB refuses such a request, the emulator does not.
 */
export function emptyKey(call: Call, tables: ReadonlyMap<string, TableShape>): string | undefined {
  const { KeyConditionExpression: condition, ExpressionAttributeValues: values } = call.input;
  if (call.action === 'Query' && typeof condition === 'string' && isObject(values)) {
    // Nothing but keys is compared there: the name beside the value is the key's.
    for (const [, compared, begun, value = ''] of condition.matchAll(KEY_CONDITION)) {
      if (isEmpty(values[value])) return realName(call, compared ?? begun ?? '');
    }
    return undefined;
  }
  for (const [table, shape] of tables) {
    const batch = isObject(call.input.RequestItems);
    if (!batch && tableName(call.input.TableName) !== table) continue;
    for (const item of itemsOf(call, batch ? table : undefined)) {
      const found = [shape.partitionKey, shape.sortKey ?? ''].find((name) => isEmpty(item[name]));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** `pk = :v`, `sk BETWEEN :v`, `begins_with(sk, :v)`: name and value. */
const KEY_CONDITION = /(?:(#?[\w.-]+)\s*(?:[<>=]+|BETWEEN)|begins_with\s*\(\s*(#?[\w.-]+)\s*,)\s*(:\w+)/gi;

function isEmpty(value: Json | undefined): boolean {
  return isObject(value) && (value.S === '' || value.B === '');
}

/** Values of the partition key in the order of a request's items: of each request or key of a batch, by table. */
export function partitionsOf(call: Call, table: string, shape: TableShape): string[] {
  const { input } = call;
  const value = (item: Json | undefined): string => {
    const key = isObject(item) ? item[shape.partitionKey] : undefined;
    return isObject(key) ? String(Object.values(key)[0]) : '';
  };
  if (call.action === 'Query') return [value({ [shape.partitionKey]: queriedKey(call, shape) ?? null })];
  const request = isObject(input.RequestItems) ? input.RequestItems[table] : undefined;
  if (request === undefined) return [value(input.Key ?? input.Item)];
  if (isObject(request)) return asList(request.Keys).map(value);
  return asList(request).map((one) => {
    if (!isObject(one)) return '';
    return value(isObject(one.PutRequest) ? one.PutRequest.Item : (one.DeleteRequest as JsonObject)?.Key);
  });
}

/** The value that a query's key condition gives the partition key. */
export function queriedKey(call: Call, shape: TableShape): Json | undefined {
  const { KeyConditionExpression, ExpressionAttributeValues: values } = call.input;
  if (typeof KeyConditionExpression !== 'string' || !isObject(values)) return undefined;
  for (const [, name = '', value = ''] of KeyConditionExpression.matchAll(/(#?[\w.-]+)\s*=\s*(:\w+)/g)) {
    if (realName(call, name) === shape.partitionKey) return values[value];
  }
  return undefined;
}

function realName(call: Call, name: string): string {
  const names = call.input.ExpressionAttributeNames;
  return isObject(names) && typeof names[name] === 'string' ? names[name] : name;
}

function attributeNames(call: Call): Set<string> {
  const names = new Set<string>();
  for (const item of itemsOf(call, undefined)) for (const name of Object.keys(item)) names.add(name);
  for (const expression of EXPRESSIONS) {
    const text = call.input[expression];
    if (typeof text !== 'string') continue;
    for (const [word] of text.matchAll(/(?<![:\w#.])#?[A-Za-z_]\w*/g)) {
      if (!WORDS.has(word.toLowerCase())) names.add(realName(call, word));
    }
  }
  for (const name of asList(call.input.AttributesToGet)) names.add(String(name));
  return names;
}
