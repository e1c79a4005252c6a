/** A form posted to a bucket (S3: "POST Object"): who signed it, whether its policy allows it, and the object in it. */
import { isObject, type Json } from '../template/json.ts';
import type { Answer } from './call.ts';
import { s3Error } from './s3-answers.ts';
import { readScope } from './signature.ts';

/** A form that its policy allows. */
export interface PostedObject {
  accessKeyId: string;
  key: string;
  type: string;
  bytes: Buffer;
}

/** Fields that a policy need not name. */
const FREE = new Set(['file', 'policy', 'x-amz-signature']);

/** Whether a request posts a form to a bucket. */
export function isPostedForm(method: string | undefined, contentType: string | undefined): boolean {
  return method === 'POST' && (contentType ?? '').toLowerCase().startsWith('multipart/form-data');
}

/**
 * Reads a posted form. Like S3, it ignores what comes after `file`, and refuses a policy that has expired, a field that
 * the policy does not name or names with another value, and a file outside of `content-length-range`.
 *
 * @param now milliseconds since 1970
 */
export async function readPostedForm(
  bucket: string,
  body: Buffer,
  contentType: string,
  now: number,
): Promise<PostedObject | Answer> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => undefined);
  if (!form) return s3Error(400, 'MalformedPOSTRequest', 'The body is not well-formed multipart/form-data.');
  const fields = new Map<string, string>();
  let file: Buffer | undefined;
  for (const [name, value] of form) {
    if (name === 'file') {
      file = typeof value === 'string' ? Buffer.from(value) : Buffer.from(await value.arrayBuffer());
      break;
    }
    if (typeof value === 'string') fields.set(name.toLowerCase(), value);
  }
  // It is the one in the address that counts.
  fields.set('bucket', bucket);
  if (!file) return s3Error(400, 'InvalidArgument', 'POST requires exactly one file upload per request.');
  const refused = checkPolicy(fields, file.length, now);
  if (refused) return refused;
  const signer = readScope(fields.get('x-amz-credential') ?? '');
  if (!signer) return s3Error(400, 'InvalidRequest', 'X-Amz-Credential must be specified');
  return {
    accessKeyId: signer.accessKeyId,
    key: fields.get('key') ?? '',
    type: fields.get('content-type') ?? 'binary/octet-stream',
    bytes: file,
  };
}

function checkPolicy(fields: ReadonlyMap<string, string>, size: number, now: number): Answer | undefined {
  const policy = parse(fields.get('policy') ?? '');
  if (!isObject(policy) || !Array.isArray(policy.conditions)) {
    return s3Error(400, 'InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.');
  }
  const denied = (why: string) => s3Error(403, 'AccessDenied', `Invalid according to Policy: ${why}`);
  if (!(Date.parse(String(policy.expiration)) > now)) return denied('Policy expired.');
  const named = new Set<string>();
  for (const condition of policy.conditions) {
    const [operator, subject, value] = Array.isArray(condition) ? condition : equality(condition);
    if (operator === 'content-length-range') {
      if (size < Number(subject)) return tooFew(size, Number(subject));
      if (size > Number(value)) return tooMany(size, Number(value));
      continue;
    }
    const name = String(subject).replace(/^\$/, '').toLowerCase();
    named.add(name);
    const given = fields.get(name) ?? '';
    const holds = operator === 'starts-with' ? given.startsWith(String(value)) : given === String(value);
    if (!holds) return denied(`Policy Condition failed: ${JSON.stringify([operator, subject, value])}`);
  }
  const extra = [...fields.keys()].find(
    (name) => !named.has(name) && !FREE.has(name) && name !== 'bucket' && !name.startsWith('x-ignore-'),
  );
  return extra === undefined ? undefined : denied(`Extra input fields: ${extra}`);
}

function equality(condition: Json): Json[] {
  const [first] = isObject(condition) ? Object.entries(condition) : [];
  return first ? ['eq', `$${first[0]}`, first[1]] : [];
}

function tooFew(size: number, least: number): Answer {
  const message = `Your proposed upload is smaller than the minimum allowed size: ${size} < ${least}`;
  return s3Error(400, 'EntityTooSmall', message);
}

function tooMany(size: number, most: number): Answer {
  const message = `Your proposed upload exceeds the maximum allowed size: ${size} > ${most}`;
  return s3Error(400, 'EntityTooLarge', message);
}

function parse(policy: string): Json | undefined {
  try {
    return JSON.parse(Buffer.from(policy, 'base64').toString()) as Json;
  } catch {
    return undefined;
  }
}
