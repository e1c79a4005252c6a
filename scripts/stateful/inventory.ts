/** What of a deployment holds data, and whether a change would put something else in its place. */

/** A resource of a template. */
export interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

/** A resource that holds data: what CloudFormation replaces it for, and what keeps it when it goes. */
export interface Held {
  type: string;
  /** Of another value, CloudFormation makes a new resource, or gives it another content. */
  fixed: Record<string, unknown>;
  deletionPolicy: string;
  updateReplacePolicy: string;
  /** Of a table: whether it refuses to be deleted. */
  protected?: boolean;
}

/** By stack and logical id. */
export type Inventory = Record<string, Held>;

/** The types that hold data, with the properties that must not change (CloudFormation: "Update requires: Replacement"). */
const FIXED: Record<string, string[]> = {
  'AWS::DynamoDB::GlobalTable': ['KeySchema', 'LocalSecondaryIndexes', 'TableName'],
  'AWS::DynamoDB::Table': ['KeySchema', 'LocalSecondaryIndexes', 'TableName'],
  'AWS::EFS::FileSystem': ['AvailabilityZoneName', 'Encrypted', 'KmsKeyId', 'PerformanceMode'],
  'AWS::KMS::Key': ['KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'],
  'AWS::S3::Bucket': ['BucketName', 'BucketNamePrefix'],
  // Another way of generating it generates it anew.
  'AWS::SecretsManager::Secret': ['GenerateSecretString', 'Name', 'SecretString'],
};

/** Everything that holds data, in the templates of all stacks. */
export function inventoryOf(stacks: Record<string, Record<string, TemplateResource>>): Inventory {
  const inventory: Inventory = {};
  for (const [stack, resources] of Object.entries(stacks)) {
    for (const [id, resource] of Object.entries(resources)) {
      const names = FIXED[resource.Type];
      if (names) inventory[`${stack}/${id}`] = heldOf(resource, names);
    }
  }
  return Object.fromEntries(Object.entries(inventory).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function heldOf({ Type, Properties = {}, ...policies }: TemplateResource, names: string[]): Held {
  const isTable = Type.startsWith('AWS::DynamoDB::');
  const fixed = names.filter((name) => name in Properties).map((name) => [name, Properties[name]]);
  return {
    type: Type,
    fixed: { ...Object.fromEntries(fixed), ...(isTable && { KeyTypes: keyTypes(Properties) }) },
    // CloudFormation's own defaults.
    deletionPolicy: policies.DeletionPolicy ?? 'Delete',
    updateReplacePolicy: policies.UpdateReplacePolicy ?? 'Delete',
    ...(isTable && { protected: isProtected(Properties) }),
  };
}

/** Of the key's attributes alone: others come and go with indexes. */
function keyTypes({ KeySchema, AttributeDefinitions }: Record<string, unknown>): unknown[] {
  const named = (list: unknown): { AttributeName?: unknown }[] => (Array.isArray(list) ? list : []);
  const keys = new Set(named(KeySchema).map(({ AttributeName }) => AttributeName));
  return named(AttributeDefinitions).filter(({ AttributeName }) => keys.has(AttributeName));
}

function isProtected({ DeletionProtectionEnabled, Replicas }: Record<string, unknown>): boolean {
  if (!Array.isArray(Replicas)) return DeletionProtectionEnabled === true;
  return Replicas.length > 0 && Replicas.every((replica) => replica?.DeletionProtectionEnabled === true);
}

/** What a deployment would do to what holds data, a line each; nothing where it is only added to. */
export function lossesOf(before: Inventory, now: Inventory): string[] {
  return Object.entries(before).flatMap(([at, was]) => {
    const is = now[at];
    if (!is)
      return [`${at} (${was.type}) is not there any more: renamed, moved to another stack, or dropped`];
    if (is.type !== was.type) return [`${at} would be replaced: it was ${was.type}, and is ${is.type}`];
    return [...new Set([...Object.keys(was.fixed), ...Object.keys(is.fixed)])]
      .filter((name) => JSON.stringify(was.fixed[name]) !== JSON.stringify(is.fixed[name]))
      .map((name) => `${at} would be replaced, or filled anew: ${name} is another`);
  });
}

/** What does not survive its stack, or its own replacement. */
export function unkeptOf(inventory: Inventory): string[] {
  return Object.entries(inventory).flatMap(([at, held]) => [
    ...(held.deletionPolicy === 'Retain'
      ? []
      : [`${at} would go with its stack: its DeletionPolicy must be Retain`]),
    ...(held.updateReplacePolicy === 'Retain'
      ? []
      : [`${at} would go when it is replaced: its UpdateReplacePolicy must be Retain`]),
    ...(held.protected === false ? [`${at} may be deleted: it must have deletion protection`] : []),
  ]);
}
