/** `@connections`: what a backend calls to post to a connection, ask about it or end it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { decodeSegment } from '../http-api/routes.ts';
import type { CloudLog } from '../types.ts';
import type { Connection, Connections } from './connections.ts';

/** Whether the owner of an access key may do something; `message` is AWS's sentence when not. */
export type Authorize = (
  accessKeyId: string,
  action: string,
  resourceArn: string,
) => { allowed: boolean; message: string };

export interface ManagementOptions {
  connections: Connections;
  authorize: Authorize;
  log: CloudLog;
  stage: string;
  /** `arn:aws:execute-api:{region}:{account}:{apiId}` */
  apiArn: string;
}

interface Reply {
  status: number;
  /** Sent as `x-amzn-ErrorType`, by which the SDKs tell exceptions apart. */
  error?: string;
  body?: unknown;
}

/** AWS: "Message payload size", also for posts. */
export const MESSAGE_LIMIT = 128 * 1024;

const gone: Reply = { status: 410, error: 'GoneException' };
const limited: Reply = {
  status: 429,
  error: 'LimitExceededException',
  body: { message: 'Too Many Requests' },
};
const broken: Reply = {
  status: 500,
  error: 'InternalServerErrorException',
  body: { message: 'Internal server error' },
};

const forbidden = (message: string): Reply => ({
  status: 403,
  error: 'ForbiddenException',
  body: { message },
});

/** Reads a body, or undefined as soon as it is larger than a message may be. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MESSAGE_LIMIT) chunks.push(chunk);
  }
  return size > MESSAGE_LIMIT ? undefined : Buffer.concat(chunks).toString('utf8');
}

/** The access key id of a Signature Version 4 header, which locally names a role; signatures are not computed. */
function accessKeyOf(authorization: string | undefined): { accessKeyId: string } | { reply: Reply } {
  if (authorization === undefined) return { reply: forbidden('Missing Authentication Token') };
  const scope = /Credential=([^/,\s]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(authorization);
  const accessKeyId = scope?.[1];
  if (accessKeyId === undefined)
    return { reply: forbidden('The Authorization header is no AWS4-HMAC-SHA256 signature.') };
  if (scope?.[2] !== 'execute-api') {
    return { reply: forbidden("Credential should be scoped to correct service: 'execute-api'.") };
  }
  return { accessKeyId };
}

/** Makes the handler for `POST`, `GET` and `DELETE /{stage}/@connections/{id}`. */
export function createManagement(options: ManagementOptions) {
  const { connections, authorize, log, stage, apiArn } = options;

  async function post(connection: Connection, request: IncomingMessage): Promise<Reply> {
    const text = await readBody(request);
    if (text === undefined) {
      return { status: 413, error: 'PayloadTooLargeException', body: { message: 'Message too long' } };
    }
    if (connection.delay > 0) await sleep(connection.delay);
    const failure = connection.failures.shift();
    if (failure !== undefined) return failure === 429 ? limited : broken;
    if (connection.socket.readyState !== WebSocket.OPEN) return gone;
    return connections.send(connection, text).then(
      () => ({ status: 200 }),
      () => gone,
    );
  }

  function describe({ connectedAt, lastActiveAt, sourceIp, userAgent }: Connection): Reply {
    const body = {
      connectedAt: new Date(connectedAt).toISOString(),
      identity: { sourceIp, userAgent },
      lastActiveAt: new Date(lastActiveAt).toISOString(),
    };
    return { status: 200, body };
  }

  async function reply(request: IncomingMessage): Promise<Reply> {
    const path = (request.url ?? '').split('?')[0]?.split('/').map(decodeSegment) ?? [];
    const [, requestStage, keyword, connectionId] = path;
    if (requestStage !== stage || keyword !== '@connections' || !connectionId || path.length !== 4) {
      log('warn', `WebSocket API: no such resource ${request.method} ${request.url}; the stage is /${stage}`);
      return forbidden('Forbidden');
    }
    const caller = accessKeyOf(request.headers.authorization);
    if ('reply' in caller) return caller.reply;
    const resource = `${apiArn}/${stage}/${request.method}/@connections/${connectionId}`;
    const { allowed, message } = authorize(caller.accessKeyId, 'execute-api:ManageConnections', resource);
    if (!allowed) {
      log('warn', `WebSocket API: ${message}`);
      return forbidden(message);
    }
    const connection = connections.get(connectionId);
    if (connection === undefined) return gone;
    if (request.method === 'POST') return post(connection, request);
    if (request.method === 'GET') return describe(connection);
    if (request.method !== 'DELETE') return forbidden('Missing Authentication Token');
    connection.socket.close(1000, 'Connection Closed Normally');
    return { status: 204 };
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    reply(request).then(
      ({ status, error, body }) => {
        request.resume();
        response.statusCode = status;
        if (error !== undefined) response.setHeader('x-amzn-ErrorType', error);
        if (body !== undefined) response.setHeader('Content-Type', 'application/json');
        response.end(body === undefined ? undefined : JSON.stringify(body));
      },
      (error: unknown) => {
        // The caller went away while it was sending.
        log('warn', `WebSocket API: ${request.method} ${request.url}: ${String(error)}`);
        response.destroy();
      },
    );
  };
}
