/**
 * A CloudFront distribution before an API, on this machine: runs the template's function on each request and passes it
 * on. It caches nothing, and the firewall's rules are not run.
 */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { runInNewContext } from 'node:vm';
import type { Authority } from '../network/ca.ts';
import { listen, stop } from '../network/listen.ts';
import type { EdgeDescription } from '../template/edges.ts';
import type { CloudLog } from '../types.ts';

export interface EdgeOptions {
  /** 0 for any. Default 0. */
  port?: number;
  /** Where the origin listens on this machine, over plain HTTP. */
  originPort: number;
  authority: Authority;
  log: CloudLog;
}

/** A running edge. */
export interface Edge {
  /** Without a slash at its end. */
  url: string;
  port: number;
  httpsPort: number;
  close(): Promise<void>;
}

/** Headers as a function of CloudFront sees them. */
type EdgeHeaders = Record<string, { value: string; multiValue?: { value: string }[] }>;

/** What concerns one connection and is not passed on. */
const OF_CONNECTION = new Set(['connection', 'host', 'keep-alive', 'te', 'transfer-encoding', 'upgrade']);

/** Starts the edge: plain at `port`, and over TLS at a port of its own under its real name. */
export async function createEdge(edge: EdgeDescription, options: EdgeOptions): Promise<Edge> {
  const { port = 0, originPort, authority, log } = options;

  function pass(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/' } = request;
    const hasBody =
      request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
    // CloudFront takes no body with what only reads.
    if (!edge.methods.includes(method) || (hasBody && (method === 'GET' || method === 'HEAD'))) {
      refuse(request, response, 403);
      return;
    }
    const viewer = (request.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
    let headers: EdgeHeaders;
    try {
      headers = viewerHeaders(edge, request, viewer);
    } catch (error) {
      log('error', `edge: the function of ${edge.names[0]} failed: ${String(error)}`);
      refuse(request, response, 503);
      return;
    }
    const onward = send(
      {
        host: '127.0.0.1',
        port: originPort,
        method,
        path: url,
        headers: onwardHeaders(edge, headers, viewer),
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
        // An answer that breaks off is broken off here too, or its client would wait for the rest.
        answer.on('error', () => response.destroy());
        answer.pipe(response);
      },
    );
    // More than one may come: of the connection, and of what was still written to it.
    onward.on('error', (error) => {
      if (response.destroyed) return;
      log('warn', `edge: ${method} ${url}: ${error.message}`);
      if (response.headersSent) response.destroy();
      else refuse(request, response, 502);
    });
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  }

  const limits = { maxHeaderSize: 64 * 1024, keepAliveTimeout: 75_000 };
  const plain = createServer(limits, pass);
  const certificate = await authority.issue([...edge.names, 'localhost', '127.0.0.1']);
  const secure = createSecureServer({ ...limits, ...certificate }, pass);
  const actual = await listen(plain, port);
  const httpsPort = await listen(secure, 0);
  return {
    url: `http://127.0.0.1:${actual}`,
    port: actual,
    httpsPort,
    async close() {
      await Promise.all([stop(plain), stop(secure)]);
    },
  };
}

/** The headers of a request when the template's function has seen it. @throws whatever the function throws */
function viewerHeaders(edge: EdgeDescription, request: IncomingMessage, ip: string): EdgeHeaders {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://edge');
  const headers: EdgeHeaders = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    const all = (values ?? []).map((value) => ({ value }));
    headers[name] = { value: all[0]?.value ?? '', ...(all.length > 1 && { multiValue: all }) };
  }
  if (edge.viewerRequest === undefined) return headers;
  const querystring = Object.fromEntries([...searchParams].map(([name, value]) => [name, { value }]));
  const event = {
    version: '1.0',
    context: { eventType: 'viewer-request', distributionDomainName: edge.names[0] },
    viewer: { ip },
    request: { method: request.method, uri: pathname, querystring, headers, cookies: {} },
  };
  const changed = runInNewContext(`${edge.viewerRequest};handler(event)`, { event }, { timeout: 100 });
  if (changed?.headers === undefined) throw new Error('it answered no request');
  return changed.headers;
}

/** What goes on: all but what concerns the connection, the origin's own host, and what the distribution adds. */
function onwardHeaders(
  edge: EdgeDescription,
  headers: EdgeHeaders,
  viewer: string,
): Record<string, string | string[]> {
  const onward: Record<string, string | string[]> = {};
  for (const [name, { value, multiValue }] of Object.entries(headers)) {
    if (!OF_CONNECTION.has(name)) onward[name] = multiValue ? multiValue.map((one) => one.value) : value;
  }
  const forwarded = headers['x-forwarded-for']?.value;
  return {
    ...onward,
    ...edge.headers,
    host: edge.origin,
    'x-forwarded-for': forwarded === undefined ? viewer : `${forwarded}, ${viewer}`,
  };
}

function endToEnd(rawHeaders: string[]): string[] {
  return rawHeaders.filter((_, at) => !OF_CONNECTION.has(rawHeaders[at - (at % 2)]!.toLowerCase()));
}

/** What CloudFront itself answers. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  request.resume();
  response.writeHead(status, { 'Content-Type': 'text/html', Connection: 'close' });
  response.end(`<!DOCTYPE html><title>ERROR: The request could not be satisfied</title>\n`);
}
