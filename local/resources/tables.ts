/** Creates the template's DynamoDB tables. */
import type { Backend } from '../aws/backend.ts';
import { answerJson } from '../aws/call.ts';
import type { TableShape } from '../aws/dynamodb.ts';
import { asList, asObject, asString, isObject, type JsonObject, TemplateError } from '../template/json.ts';
import { type Model, type Resource, whereIs } from '../template/model.ts';

/** A table as deployed. */
export interface Table extends TableShape {
  logicalId: string;
  /** Attribute by which items expire (seconds since 1970), if the template enables it. */
  ttlAttribute?: string;
}

/** The emulator wants a signature to look at; it checks none. */
const HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
  'x-amz-date': '20260101T000000Z',
};

/** Sends one DynamoDB request straight to the emulator, without identity, meter or limits. */
export async function dynamoRequest(backend: Backend, action: string, input: object): Promise<JsonObject> {
  const headers = { ...HEADERS, 'x-amz-target': `DynamoDB_20120810.${action}` };
  const answer = await backend.send('POST', '/', headers, JSON.stringify(input));
  const output = answerJson(answer);
  if (answer.status === 200) return output;
  throw new Error(`${action}: ${String(output.__type)}: ${String(output.message)}`);
}

/**
 * Creates every table that is not there yet.
 *
 * @returns tables by name
 * @throws TemplateError if a table that is kept from before has other keys than the template says
 */
export async function createTables(model: Model, backend: Backend): Promise<Map<string, Table>> {
  const tables = new Map<string, Table>();
  const resources = model.ofType('AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table');
  await Promise.all(
    resources.map(async (resource) => {
      const input = createInput(resource);
      await createOrCheck(resource, backend, input);
      tables.set(resource.ref, readTable(resource, input));
    }),
  );
  return tables;
}

function createInput(resource: Resource): JsonObject {
  const { properties } = resource;
  const input: JsonObject = {
    TableName: resource.ref,
    AttributeDefinitions: asList(properties.AttributeDefinitions),
    KeySchema: asList(properties.KeySchema),
    BillingMode: 'PAY_PER_REQUEST',
  };
  for (const kind of ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes']) {
    const indexes = asList(properties[kind]).filter(isObject);
    if (indexes.length === 0) continue;
    input[kind] = indexes.map(({ IndexName = null, KeySchema = null, Projection = null }) => ({
      IndexName,
      KeySchema,
      Projection,
    }));
  }
  return input;
}

async function createOrCheck(resource: Resource, backend: Backend, input: JsonObject): Promise<void> {
  try {
    await dynamoRequest(backend, 'CreateTable', input);
    await untilActive(resource.ref, backend);
  } catch (error) {
    if (!(error as Error).message.includes('ResourceInUseException')) throw error;
    const { Table } = await dynamoRequest(backend, 'DescribeTable', { TableName: resource.ref });
    const kept = asObject(Table, whereIs(resource));
    const shape = ({ KeySchema, GlobalSecondaryIndexes }: JsonObject): string =>
      JSON.stringify([
        KeySchema,
        asList(GlobalSecondaryIndexes)
          .filter(isObject)
          .map((index) => [index.IndexName, index.KeySchema])
          .sort(),
      ]);
    if (shape(kept) !== shape(input)) {
      throw new TemplateError(
        whereIs(resource, 'KeySchema'),
        'the kept data has this table with other keys or indexes: remove the data folder to start anew',
      );
    }
  }
}

/** dynalite takes a turn of its event loop to make a new table active. */
async function untilActive(name: string, backend: Backend): Promise<void> {
  for (;;) {
    const { Table } = await dynamoRequest(backend, 'DescribeTable', { TableName: name });
    if (isObject(Table) && Table.TableStatus === 'ACTIVE') return;
  }
}

function readTable(resource: Resource, input: JsonObject): Table {
  const where = whereIs(resource, 'KeySchema');
  const keys = keyNames(input);
  const table: Table = {
    logicalId: resource.logicalId,
    name: resource.ref,
    partitionKey: asString(keys[0], where),
    indexes: [...asList(input.GlobalSecondaryIndexes), ...asList(input.LocalSecondaryIndexes)]
      .filter(isObject)
      .map((index) => ({ keys: keyNames(index), projected: projected(index, keys) })),
  };
  if (keys[1] !== undefined) table.sortKey = keys[1];
  const ttl = resource.properties.TimeToLiveSpecification;
  if (isObject(ttl) && ttl.Enabled === true) {
    table.ttlAttribute = asString(ttl.AttributeName, whereIs(resource, 'TimeToLiveSpecification'));
  }
  return table;
}

/** Partition key, then sort key. */
function keyNames({ KeySchema }: JsonObject): string[] {
  return asList(KeySchema)
    .filter(isObject)
    .sort((left) => (left.KeyType === 'HASH' ? -1 : 1))
    .map(({ AttributeName }) => String(AttributeName));
}

function projected(index: JsonObject, tableKeys: string[]): 'all' | Set<string> {
  const projection = isObject(index.Projection) ? index.Projection : {};
  if (projection.ProjectionType === 'ALL') return 'all';
  return new Set([...tableKeys, ...keyNames(index), ...asList(projection.NonKeyAttributes).map(String)]);
}
