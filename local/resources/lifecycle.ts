/** Deletes objects by the bucket's lifecycle rules: whole days, rounded up to the next midnight UTC. */
import type { Backend } from '../aws/backend.ts';
import { asList, asNumber, isObject, type JsonObject, TemplateError } from '../template/json.ts';
import { type Model, type Resource, whereIs } from '../template/model.ts';

/** An expiry rule of a bucket. */
export interface ExpiryRule {
  bucket: string;
  prefix: string;
  days: number;
  /** Bytes; objects must be larger and smaller than these. */
  largerThan?: number;
  smallerThan?: number;
}

const DAY = 24 * 3600 * 1000;
const RULE = new Set([
  'Id',
  'Status',
  'Prefix',
  'ExpirationInDays',
  'ObjectSizeGreaterThan',
  'ObjectSizeLessThan',
]);
/** Changes nothing here: unfinished uploads and old versions take no part in what a client sees. */
const IGNORED = new Set(['AbortIncompleteMultipartUpload', 'NoncurrentVersionExpiration']);

/**
 * The expiry rules of every bucket.
 *
 * @throws TemplateError for a rule that cannot be run here (by tag, by date, transitions)
 */
export function readExpiryRules(model: Model): ExpiryRule[] {
  return model.ofType('AWS::S3::Bucket').flatMap((resource) => {
    const configuration = resource.properties.LifecycleConfiguration;
    const rules = isObject(configuration) ? asList(configuration.Rules).filter(isObject) : [];
    return rules.flatMap((rule) => readRule(resource, rule));
  });
}

function readRule(resource: Resource, rule: JsonObject): ExpiryRule[] {
  const where = whereIs(resource, 'LifecycleConfiguration');
  for (const name of Object.keys(rule)) {
    if (!RULE.has(name) && !IGNORED.has(name))
      throw new TemplateError(where, `${name} is not supported here`);
  }
  if (rule.Status !== 'Enabled' || rule.ExpirationInDays === undefined) return [];
  const expiry: ExpiryRule = {
    bucket: resource.ref,
    prefix: typeof rule.Prefix === 'string' ? rule.Prefix : '',
    days: asNumber(rule.ExpirationInDays, where),
  };
  if (rule.ObjectSizeGreaterThan !== undefined)
    expiry.largerThan = asNumber(rule.ObjectSizeGreaterThan, where);
  if (rule.ObjectSizeLessThan !== undefined) expiry.smallerThan = asNumber(rule.ObjectSizeLessThan, where);
  return [expiry];
}

/** When an object made at `created` expires (milliseconds since 1970): `days` later, at the next midnight UTC. */
export function expiryTime(created: number, days: number): number {
  return Math.ceil((created + days * DAY) / DAY) * DAY;
}

/**
 * Deletes every object that a rule has expired at `now` (milliseconds since 1970).
 *
 * @returns how many were deleted
 */
export async function sweepExpiredObjects(
  backend: Backend,
  rules: ExpiryRule[],
  now: number,
): Promise<number> {
  let deleted = 0;
  for (const rule of rules) {
    for (const object of await listObjects(backend, rule)) {
      if (rule.largerThan !== undefined && object.size <= rule.largerThan) continue;
      if (rule.smallerThan !== undefined && object.size >= rule.smallerThan) continue;
      if (expiryTime(object.created, rule.days) > now) continue;
      const path = object.key.split('/').map(encodeURIComponent).join('/');
      await backend.send('DELETE', `/${rule.bucket}/${path}`, {}, '');
      deleted++;
    }
  }
  return deleted;
}

interface StoredObject {
  key: string;
  size: number;
  created: number;
}

async function listObjects(backend: Backend, { bucket, prefix }: ExpiryRule): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  let token: string | undefined;
  do {
    const query = new URLSearchParams({ 'list-type': '2', prefix });
    if (token !== undefined) query.set('continuation-token', token);
    const answer = await backend.send('GET', `/${bucket}?${query}`, {}, '');
    const xml = answer.body.toString();
    if (answer.status !== 200) throw new Error(`listing ${bucket} failed: ${xml}`);
    for (const [, content = ''] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
      found.push({
        key: unescapeXml(tag(content, 'Key')),
        size: Number(tag(content, 'Size')),
        created: Date.parse(tag(content, 'LastModified')),
      });
    }
    token = tag(xml, 'NextContinuationToken') || undefined;
  } while (token !== undefined);
  return found;
}

function tag(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_match, name: string) => named[name] as string);
}
