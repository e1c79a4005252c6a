/** S3 behind the front: who may touch which object, what the emulator gets wrong refused, requests counted. */

import type { Iam } from '../iam/iam.ts';
import type { Meter } from '../types.ts';
import type { Backend } from './backend.ts';
import type { Access, Answer, Call, Service } from './call.ts';
import { s3Error } from './s3-answers.ts';

export interface S3Options {
  backend: Backend;
  meter: Meter;
  iam: Iam;
}

/** Where a request points: path-style, as SDKs address an endpoint that is an IP address. */
interface Target {
  bucket: string;
  key: string;
  query: URLSearchParams;
}

/** Sub-resources that the emulator would take for the object or bucket itself. */
const REFUSED = [
  'tagging',
  'acl',
  'versioning',
  'versions',
  'retention',
  'legal-hold',
  'restore',
  'select',
  'torrent',
];

/** The S3 service over a fauxqs server. */
export function createS3({ backend, meter, iam }: S3Options): Service {
  const forward = (call: Call): Promise<Answer> =>
    backend.send(call.method, call.url, call.headers, call.body);

  /** S3 tells of a missing object only to those who may list the bucket; to others it is forbidden. */
  const hideMissing = (call: Call, answer: Answer): Answer => {
    const { bucket, key } = readTarget(call.url);
    if (answer.status !== 404 || !key || (call.method !== 'GET' && call.method !== 'HEAD')) return answer;
    const list = iam.authorize(call.caller.accessKeyId, 's3:ListBucket', `arn:aws:s3:::${bucket}`);
    return list.allowed ? answer : s3Error(403, 'AccessDenied', list.message);
  };

  const exists = async (call: Call): Promise<boolean> => {
    const answer = await backend.send('HEAD', call.url.split('?')[0] as string, {}, '');
    return answer.status === 200;
  };

  return {
    accesses,
    deny: (_call, message) => s3Error(403, 'AccessDenied', message),
    async run(call) {
      if (call.method === 'GET' || call.method === 'HEAD') {
        const listing = call.method === 'GET' && readTarget(call.url).key === '';
        meter.count(call.caller.name, listing ? 's3.put' : 's3.get', 1);
        return hideMissing(call, await forward(call));
      }
      // DELETE is free; PUT, POST, COPY and LIST are billed alike.
      if (call.method !== 'DELETE') meter.count(call.caller.name, 's3.put', 1);
      if (call.method === 'PUT' && call.headers['if-none-match'] === '*' && (await exists(call))) {
        return s3Error(
          412,
          'PreconditionFailed',
          'At least one of the pre-conditions you specified did not hold',
        );
      }
      return forward(call);
    },
  };
}

function readTarget(url: string): Target {
  const [path = '', query = ''] = url.split('?', 2);
  const [bucket = '', ...key] = path.slice(1).split('/');
  return { bucket, key: decodeURIComponent(key.join('/')), query: new URLSearchParams(query) };
}

function accesses(call: Call): Access[] | Answer {
  const target = readTarget(call.url);
  const refused = REFUSED.find((name) => target.query.has(name));
  if (refused !== undefined || call.headers['x-amz-tagging'] !== undefined) {
    return s3Error(
      501,
      'NotImplemented',
      `${refused ?? 'x-amz-tagging'} is not available in the local cloud`,
    );
  }
  if (target.bucket === '') return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
  return target.key === '' ? bucketAccesses(call, target) : objectAccesses(call, target);
}

function bucketAccesses(call: Call, { bucket, query }: Target): Access[] | Answer {
  const resource = `arn:aws:s3:::${bucket}`;
  if (call.method === 'POST' && query.has('delete')) {
    const keys = [...call.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) =>
      unescapeXml(key),
    );
    return keys.map((key) => ({ action: 's3:DeleteObject', resource: `${resource}/${key}` }));
  }
  if (call.method === 'POST') {
    return s3Error(501, 'NotImplemented', 'this POST to a bucket is not available in the local cloud');
  }
  const lifecycle = query.has('lifecycle');
  const actions: Record<string, string> = {
    GET: lifecycle ? 's3:GetLifecycleConfiguration' : 's3:ListBucket',
    HEAD: 's3:ListBucket',
    PUT: lifecycle ? 's3:PutLifecycleConfiguration' : 's3:CreateBucket',
    DELETE: lifecycle ? 's3:PutLifecycleConfiguration' : 's3:DeleteBucket',
  };
  const action = actions[call.method];
  return action ? [{ action, resource, context: () => prefixContext(query) }] : methodNotAllowed(call);
}

function objectAccesses(call: Call, { bucket, key, query }: Target): Access[] | Answer {
  const resource = `arn:aws:s3:::${bucket}/${key}`;
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      return [{ action: 's3:GetObject', resource }];
    case 'PUT': {
      const source = call.headers['x-amz-copy-source'];
      const put = { action: 's3:PutObject', resource };
      if (source === undefined) return [put];
      const from = decodeURIComponent(source.split('?')[0] as string).replace(/^\//, '');
      return [{ action: 's3:GetObject', resource: `arn:aws:s3:::${from}` }, put];
    }
    case 'POST':
      return [{ action: 's3:PutObject', resource }];
    case 'DELETE':
      return [{ action: query.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject', resource }];
    default:
      return methodNotAllowed(call);
  }
}

function prefixContext(query: URLSearchParams): Map<string, string[]> {
  const prefix = query.get('prefix');
  return new Map(prefix === null ? [] : [['s3:prefix', [prefix]]]);
}

function methodNotAllowed(call: Call): Answer {
  return s3Error(405, 'MethodNotAllowed', `${call.method} is not allowed against this resource.`);
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_match, name: string) => named[name] as string);
}
