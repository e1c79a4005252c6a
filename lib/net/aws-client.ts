/**
 * Clients of AWS. Every one is made here, because the SDK by itself sets no limit: its `requestTimeout` only warns, ends
 * with the headers of an answer, and a connection whose peer is gone swallows a request without a word.
 */
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/** How long and how often a call is tried. */
export interface Budget {
  /** Tries of a call, the first included. */
  tries: number;
  /** From the start of a try, waiting for a free connection included, to the last byte of its answer. Milliseconds. */
  limit: number;
}

/**
 * The budgets by what is called. Within a region answers take milliseconds; the limits leave room for a megabyte of them,
 * a new connection and a small share of a CPU. A function's own timeout holds all the tries of two calls: one that meets
 * a silent service may still undo what it has done, and answer (`test/cdk/time-limits.test.ts`).
 */
export const BUDGETS = {
  dynamodb: { tries: 4, limit: 2_000 },
  /** Writes that must not be repeated unless the caller says so. */
  'dynamodb-once': { tries: 1, limit: 2_000 },
  /** Bodies up to 5 MiB. */
  s3: { tries: 3, limit: 3_000 },
  secretsmanager: { tries: 4, limit: 2_000 },
  sqs: { tries: 4, limit: 2_000 },
  /** Receiving, which waits a second for records. */
  'sqs-receive': { tries: 3, limit: 3_000 },
  /** Posts to sockets. What fails is dispatch's to repeat. */
  sockets: { tries: 1, limit: 2_000 },
  /** The operator's function, which answers within its minute. */
  operator: { tries: 2, limit: 70_000 },
  /** What `peal admin preflight` looks at, from anywhere in the world. */
  preflight: { tries: 2, limit: 7_000 },
} satisfies Record<string, Budget>;

/** What a client is for. */
export type Purpose = keyof typeof BUDGETS;

/** Connections that one client keeps, the SDK's own number. */
const CONNECTIONS = 50;

/** The SDK's pause before the first repetition of a call that was not answered, at most. It doubles. Milliseconds. */
const PAUSE = 50;

/** Until a call has failed for want of answers, at most. Milliseconds. */
export function longest({ tries, limit }: Budget): number {
  return tries * limit + PAUSE * (2 ** (tries - 1) - 1);
}

type Make = new (config: never) => object;
type Config<Client extends Make> = NonNullable<ConstructorParameters<Client>[0]>;

/**
 * Makes a client of AWS.
 *
 * @param purpose whose budget it has
 * @param Client the SDK's class
 * @param config of the SDK
 * @example
 * const sqs = awsClient('sqs', SQSClient);
 */
export function awsClient<Client extends Make>(
  purpose: Purpose,
  Client: Client,
  config?: Omit<Config<Client>, 'maxAttempts' | 'requestHandler' | 'retryStrategy'>,
): InstanceType<Client> {
  const { tries, limit } = BUDGETS[purpose];
  const options = { keepAlive: true, maxSockets: CONNECTIONS };
  const requestHandler = {
    httpAgent: limited(new HttpAgent(options), limit),
    httpsAgent: limited(new HttpsAgent(options), limit),
  };
  return new Client({ ...config, maxAttempts: tries, requestHandler } as never) as InstanceType<Client>;
}

/**
 * Has an agent end each request that is not over in time, with an error that the SDK takes for a reason to try again. It
 * is an agent's method that Node calls with every request; the SDK's own hooks know no more than the headers' arrival.
 */
function limited<Agent extends HttpAgent>(agent: Agent, limit: number): Agent {
  const inner = agent as unknown as { addRequest(request: ClientRequest, ...rest: unknown[]): void };
  const add = inner.addRequest.bind(agent);
  inner.addRequest = (request, ...rest) => {
    let response: IncomingMessage | undefined;
    request.once('response', (begun) => {
      response = begun;
    });
    const timer = setTimeout(() => {
      // A process that was frozen or busy all the while finds the time over before it reads what has long arrived.
      setImmediate(() => {
        if (request.closed) return;
        const message = `no whole answer from ${request.host} within ${limit} ms`;
        (response ?? request).destroy(Object.assign(new Error(message), TIMEOUT));
        dropIdle(agent);
      });
    }, limit);
    request.once('close', () => clearTimeout(timer));
    add(request, ...rest);
  };
  return agent;
}

const TIMEOUT = { name: 'TimeoutError', code: 'ETIMEDOUT' };

/** Where one connection has died in silence, the others that were idle with it may have too: the next try opens one. */
function dropIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
