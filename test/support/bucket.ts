/** The bucket of attachments, as its operator would look into it. */
import type { Peal } from '../../local/peal.ts';

/** Keys of all objects below a prefix. */
export async function listObjects(peal: Peal, prefix = ''): Promise<string[]> {
  const query = new URLSearchParams({ 'list-type': '2', prefix });
  const xml = await (await asRoot(peal, `?${query}`)).text();
  return [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
}

/** The bytes of an object. */
export async function readObject(peal: Peal, key: string): Promise<Buffer> {
  return Buffer.from(await (await asRoot(peal, key)).arrayBuffer());
}

async function asRoot({ cloud }: Peal, path: string): Promise<Response> {
  const [bucket] = cloud.engine.buckets;
  const scope = 'local-root/20260101/us-east-1/s3/aws4_request';
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  const response = await fetch(`${cloud.front.url}/${bucket}/${path}`, { headers: { authorization } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}
