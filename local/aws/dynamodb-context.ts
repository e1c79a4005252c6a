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

/** The value that a query's key condition gives the partition key. */
function queriedKey(call: Call, shape: TableShape): Json | undefined {
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
