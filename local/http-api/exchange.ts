/** One HTTP exchange as API Gateway conducts it: what it reads, what it refuses and how it sends. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Answer } from './response.ts';

/** Quotas of HTTP APIs, in bytes. */
const BODY_LIMIT = 10 * 1024 * 1024;
const HEADER_LIMIT = 10_240;

/** Milliseconds for which a client that was refused may go on sending before it is cut off. */
const LINGER = 500;

const REFUSALS = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

/** What API Gateway itself answers. */
export function refusal(status: keyof typeof REFUSALS): Answer {
  const body = Buffer.from(JSON.stringify({ message: REFUSALS[status] }));
  return { status, headers: [['Content-Type', 'application/json']], body };
}

/** Whether a request's head is over AWS's quota, which is on the request line and the header values together. */
export function isHeadTooLarge(request: IncomingMessage): boolean {
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}`.length;
  const size = request.rawHeaders.reduce((sum, item, at) => (at % 2 === 1 ? sum + item.length : sum), line);
  return size > HEADER_LIMIT;
}

/** Reads a body, or undefined once it is known to be too large; what is too large is not kept. */
export function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve(undefined);
      }
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
  });
}

/** Sends an answer. Header names keep their case, which HTTP/1.1 clients may see. */
export function send(response: ServerResponse, answer: Answer, requestId: string): void {
  for (const [name, value] of answer.headers) response.appendHeader(name, value);
  response.setHeader('Apigw-Requestid', requestId);
  response.statusCode = answer.status;
  response.setHeader('Content-Length', answer.body.length);
  response.end(answer.body);
}

/** Answers a request whose body is not wanted, then closes: the client may still be sending. */
export function sendAndClose(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  requestId: string,
): void {
  response.setHeader('Connection', 'close');
  request.removeAllListeners('data');
  request.resume();
  response.once('finish', () => {
    const { socket } = request;
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.once('close', () => clearTimeout(timer));
  });
  send(response, answer, requestId);
}

/** Answers what node's parser refuses before there is a request. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const { body } = refusal(status);
  const head = `HTTP/1.1 ${status} ${REFUSALS[status]}\r\nContent-Type: application/json\r\n`;
  socket.end(`${head}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
}
