/** The one address that stands for AWS's data services: knows the caller, asks IAM, then runs the call. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Iam } from '../iam/iam.ts';
import { listen } from '../network/listen.ts';
import { Cors } from '../resources/cors.ts';
import { isObject, type JsonObject } from '../template/json.ts';
import type { CloudLog } from '../types.ts';
import {
  type Answer,
  answerJson,
  type Call,
  isAnswer,
  jsonAnswer,
  type Service,
  type ServiceName,
} from './call.ts';
import { AwsFaults } from './faults.ts';
import type { Interceptor, Intervention } from './intercept.ts';
import { isPostedForm, readPostedForm } from './post-form.ts';
import { s3Error } from './s3-answers.ts';
import { readSigner } from './signature.ts';

/** What the front needs of the rest. Services may be added until the first call arrives. */
export interface FrontOptions {
  log: CloudLog;
  /** The clock, milliseconds since 1970 (presigned URLs expire by it). */
  now?: () => number;
}

const DROP = Symbol('drop');

/** Prefix of the `X-Amz-Target` header by service. */
const TARGETS: Record<string, ServiceName> = {
  DynamoDB_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  secretsmanager: 'secretsmanager',
};

export class Front {
  readonly #server: Server;
  readonly #services = new Map<ServiceName, Service>();
  readonly #interceptors = new Set<Interceptor>();
  /** What calls over HTTP meet. Those from within, such as the pollers', are AWS's own and meet none. */
  readonly faults = new AwsFaults();
  readonly #log: CloudLog;
  readonly #now: () => number;
  #iam: Iam | undefined;
  #cors = new Cors();

  constructor({ log, now = Date.now }: FrontOptions) {
    this.#log = log;
    this.#now = now;
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#serve(request, response).catch((error: Error) => {
        // A function that was killed leaves its requests unfinished.
        if (!request.complete) {
          this.#log('debug', `AWS front: ${request.method} ${request.url} was cut off by the caller`);
          return;
        }
        this.#log('error', `AWS front: ${request.method} ${request.url} failed: ${error.message}`, {
          stack: error.stack,
        });
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      });
    });
  }

  /** Starts to listen on the loopback address. */
  async listen(): Promise<void> {
    await listen(this.#server, 0);
  }

  /** `http://127.0.0.1:port`, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connects IAM and the services; before that every call is answered 503. */
  connect(iam: Iam, services: Partial<Record<ServiceName, Service>>, cors = new Cors()): void {
    this.#iam = iam;
    this.#cors = cors;
    for (const [name, service] of Object.entries(services)) this.#services.set(name as ServiceName, service);
  }

  /**
   * Test hook: shows every call that IAM allowed to `interceptor`, which may answer in the service's place.
   *
   * @returns a function that takes the interceptor away again
   */
  intercept(interceptor: Interceptor): () => void {
    this.#interceptors.add(interceptor);
    return () => this.#interceptors.delete(interceptor);
  }

  /**
   * A call from within this process, treated as one over HTTP: identity, IAM, interceptors, limits, meter.
   *
   * @throws Error for a dropped connection or an answer that is not 2xx (its message names type and sentence)
   */
  async send(
    accessKeyId: string,
    service: 'dynamodb' | 'sqs' | 'secretsmanager',
    action: string,
    input: JsonObject,
  ): Promise<JsonObject> {
    const caller = this.#iam?.caller(accessKeyId);
    if (!caller) throw new Error(`nobody has the access key ${accessKeyId}`);
    const body = Buffer.from(JSON.stringify(input));
    const headers = { 'content-type': 'application/x-amz-json-1.0' };
    const answer = await this.#handle({
      caller,
      service,
      action,
      input,
      method: 'POST',
      url: '/',
      headers,
      body,
    });
    if (answer === DROP) throw new Error(`${service}:${action}: the connection was dropped`);
    const output = answerJson(answer);
    if (answer.status >= 300) {
      const message = output.message ?? output.Message ?? '';
      throw new Error(`${service}:${action}: ${String(output.__type)}: ${String(message)}`);
    }
    return output;
  }

  /** Waits for the calls that are under way (long polls are cut), then stops. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
      // A long poll may hold its connection for 20 s; whoever waits on it is being closed as well.
      setTimeout(() => this.#server.closeAllConnections(), 100).unref();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    const { method = 'GET', url = '/', headers } = request;
    const asked = { method, url, headers };
    const call = this.#cors.preflight(asked) ?? (await this.#read(request, body));
    const fault = 'status' in call ? undefined : this.faults.take(call);
    if (fault === 'silence') return;
    const answer = 'status' in call ? call : await this.#answer(call, method);
    if (fault === 'silence-after') return;
    if (answer === DROP) {
      response.destroy();
      return;
    }
    const length = answer.headers['content-length'] ?? String(Buffer.byteLength(answer.body));
    const also = { ...this.#cors.headers(asked), 'content-length': length };
    if (fault === 'half') {
      // An answer without a body has none to stop in: it is told of a byte that does not come.
      response.writeHead(answer.status, {
        ...answer.headers,
        ...also,
        'content-length': length === '0' ? '1' : length,
      });
      response.flushHeaders();
      const part = Buffer.from(answer.body).subarray(0, Buffer.byteLength(answer.body) / 2);
      if (part.length > 0) response.write(part);
      return;
    }
    response.writeHead(answer.status, { ...answer.headers, ...also });
    response.end(answer.body);
  }

  /** A posted form has been made a PUT of its object, to which S3 answers without content. */
  async #answer(call: Call, method: string): Promise<Answer | typeof DROP> {
    const answer = await this.#handle(call);
    if (answer === DROP || call.method === method || answer.status !== 200) return answer;
    return { ...answer, status: 204, body: '' };
  }

  async #read(request: IncomingMessage, body: Buffer): Promise<Call | Answer> {
    const url = request.url ?? '/';
    const type = request.headers['content-type'] ?? '';
    if (request.headers.authorization === undefined && isPostedForm(request.method, type)) {
      return this.#readForm(url, body, type);
    }
    const signer = readSigner(request.headers.authorization, url);
    const target = String(request.headers['x-amz-target'] ?? '');
    const dot = target.indexOf('.');
    const service = TARGETS[target.slice(0, dot)] ?? restService(signer?.service, url);
    if (!service)
      return jsonAnswer(404, { __type: 'UnknownOperationException', message: `no service for ${url}` });
    const refused = unknownCaller(service);
    const caller = signer && this.#iam?.caller(signer.accessKeyId);
    if (!signer || !caller) {
      this.#log('error', `AWS front: ${service} call with an unknown access key`, { url, target });
      return refused;
    }
    if (signer.expires !== undefined && this.#now() > signer.expires) {
      return s3Error(403, 'AccessDenied', 'Request has expired');
    }
    const call: Call = {
      caller,
      service,
      action: dot < 0 ? '' : target.slice(dot + 1),
      input: {},
      method: request.method ?? 'GET',
      url,
      headers: request.headers as Record<string, string>,
      body,
    };
    if (dot >= 0) {
      const input = parse(body);
      if (!input) return jsonAnswer(400, { __type: 'com.amazon.coral.service#SerializationException' });
      call.input = input;
    }
    return call;
  }

  /** A form posted to a bucket, as the PUT of its object by whoever signed it. */
  async #readForm(url: string, body: Buffer, type: string): Promise<Call | Answer> {
    const bucket = url.split(/[/?]/)[1] ?? '';
    const posted = await readPostedForm(bucket, body, type, this.#now());
    if ('status' in posted) return posted;
    const caller = this.#iam?.caller(posted.accessKeyId);
    if (!caller) return unknownCaller('s3');
    return {
      caller,
      service: 's3',
      action: '',
      input: {},
      method: 'PUT',
      url: `/${bucket}/${posted.key.split('/').map(encodeURIComponent).join('/')}`,
      headers: { 'content-type': posted.type },
      body: posted.bytes,
    };
  }

  async #handle(call: Call): Promise<Answer | typeof DROP> {
    const service = this.#services.get(call.service);
    const iam = this.#iam;
    if (!service || !iam) return jsonAnswer(503, { __type: 'ServiceUnavailable', message: 'starting' });
    const accesses = service.accesses(call);
    if (isAnswer(accesses)) {
      this.#log('error', `${call.caller.name}: ${call.service} refused ${call.action || call.method}`, {
        answer: String(accesses.body),
      });
      return accesses;
    }
    for (const { action, resource, context } of accesses) {
      const decision = iam.authorize(call.caller.accessKeyId, action, resource, context);
      if (decision.allowed) continue;
      this.#log('error', `${call.caller.name} may not ${action} on ${resource}`, {
        function: call.caller.name,
        action,
        resource,
        keys: context?.().get('dynamodb:leadingkeys'),
      });
      return service.deny(call, decision.message);
    }
    for (const interceptor of this.#interceptors) {
      const intervention = await interceptor(call);
      if (intervention) return this.#intervene(service, call, intervention);
    }
    return service.run(call);
  }

  async #intervene(service: Service, call: Call, wanted: Intervention): Promise<Answer | typeof DROP> {
    // As an answer over a connection, this one lets others run: a poll that is answered at once is made again at once,
    // and without an event between the two nothing else would ever run.
    await turn();
    if (wanted.before === 'drop') return DROP;
    if (wanted.status !== undefined) {
      const { body = '' } = wanted;
      if (typeof body === 'string') return { status: wanted.status, headers: wanted.headers ?? {}, body };
      return jsonAnswer(wanted.status, body, '1.0', wanted.headers);
    }
    if (wanted.input) {
      call.input = wanted.input;
      call.body = Buffer.from(JSON.stringify(wanted.input));
    }
    const answer = await service.run(call);
    const after = typeof wanted.after === 'function' ? await wanted.after(answer) : (wanted.after ?? answer);
    return after === 'drop' ? DROP : after;
  }
}

function restService(signed: string | undefined, url: string): ServiceName | undefined {
  if (url.startsWith('/2015-03-31/functions/')) return 'lambda';
  // An unsigned request can only be one for S3: everything else is signed by its SDK.
  return signed === undefined || signed === 's3' ? 's3' : undefined;
}

function unknownCaller(service: ServiceName): Answer {
  if (service === 's3') {
    return s3Error(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
    );
  }
  return jsonAnswer(service === 'dynamodb' || service === 'secretsmanager' ? 400 : 403, {
    __type: 'com.amazon.coral.service#UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  });
}

function parse(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
