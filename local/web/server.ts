/** A web site of the template on this machine, as CloudFront serves it; uncompressed, and without a cache. */
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { listen, stop } from '../network/listen.ts';
import type { SiteDescription } from '../template/sites.ts';
import type { CloudLog } from '../types.ts';

export interface WebOptions {
  /** 0 for any. Default 0. */
  port?: number;
  /** What is reached elsewhere on this machine: the address that the template gives → the local one. */
  addresses: Record<string, string>;
  log: CloudLog;
}

/** A running site. */
export interface WebSite {
  /** Without a slash at its end. */
  url: string;
  close(): Promise<void>;
}

/** Types as the deployment's copy sets them, by ending. */
const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
};

/** Serves a site. */
export async function createWebSite(site: SiteDescription, options: WebOptions): Promise<WebSite> {
  const { port = 0, addresses, log } = options;
  const here = (text: string) =>
    Object.entries(addresses).reduce((result, [from, to]) => result.replaceAll(from, to), text);
  const headers = Object.fromEntries(
    Object.entries(site.headers).map(([name, value]) => [name, here(value)]),
  );
  if (!site.readable) log('warn', `web: CloudFront has no access to the bucket of ${site.domain}`);

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const name = pathname === '/' ? site.index : pathname.slice(1);
    const file = site.readable ? site.files.get(name) : undefined;
    for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(403).end();
    } else if (!file) {
      // S3 does not tell who may not list a bucket that there is no such object.
      response
        .writeHead(403, { 'Content-Type': 'application/xml' })
        .end('<Error><Code>AccessDenied</Code></Error>');
    } else {
      const type = TYPES[extname(name)] ?? 'binary/octet-stream';
      // JSON alone has addresses in it that were written at deployment.
      const content = type === 'application/json' ? Buffer.from(here(String(file.content))) : file.content;
      response.writeHead(200, {
        'Content-Type': type,
        'Content-Length': content.length,
        ...(file.cacheControl && { 'Cache-Control': file.cacheControl }),
      });
      response.end(request.method === 'HEAD' ? undefined : content);
    }
  });
  const actual = await listen(server, port);
  return { url: `http://127.0.0.1:${actual}`, close: () => stop(server) };
}
