/**
 * Starts fauxqs, the SQS and S3 emulator, in this process.
 *
 * Its own `startFauxqs` listens on every interface, and what it stores is nobody else's: so its parts are put together
 * here. They are not among the package's exports, hence the import by file beside its entry.
 */
import type { RequestListener } from 'node:http';
import { asString, isObject, type JsonObject } from '../template/json.ts';
import { arn, REGION } from '../template/pseudo.ts';
import type { Emulator } from './dynalite.ts';

/** How many messages a queue holds in which state. */
export interface QueueState {
  ready: number;
  /** Sent with a delay that has not passed. */
  delayed: number;
  /** Received and neither deleted nor visible again. */
  inFlight: number;
}

export interface QueueServer extends Emulator {
  /** Creates a queue, or sets the attributes of one that is kept from before. */
  createQueue(name: string, url: string, attributes: Record<string, string>): void;
  createBucket(name: string): void;
  /** Counts a queue's messages as of now; undefined if there is no such queue. */
  queueState(name: string): QueueState | undefined;
  /** Puts a message with a group into a standard queue, which fauxqs itself would forget. Takes SendMessage's input. */
  sendGrouped(input: JsonObject): JsonObject;
}

interface Message {
  messageId: string;
  md5OfBody: string;
  md5OfMessageAttributes: string;
}

interface Queue {
  messages: Message[];
  delayedMessages: Message[];
  inflightMessages: Map<string, unknown>;
  attributes: Record<string, string>;
  processTimers(): void;
  setAttributes(attributes: Record<string, string>): void;
  enqueue(message: Message): void;
  persistence?: unknown;
}

interface SqsStore {
  persistence?: unknown;
  region?: string;
  createQueue(name: string, url: string, arn: string, attributes: Record<string, string>): Queue;
  getQueueByName(name: string): Queue | undefined;
  allQueues(): Iterable<Queue>;
}

interface SqsStoreClass {
  new (): SqsStore;
  createMessage(body: string, attributes: object, delay: number | undefined, group: string): Message;
}

interface S3Store {
  persistence?: unknown;
  createBucket(name: string, type?: string): void;
  hasBucket(name: string): boolean;
}

interface Persistence {
  load(sqs: SqsStore, sns: object, s3: S3Store): void;
  close(): void;
}

interface App {
  ready(): PromiseLike<unknown>;
  addHook(name: 'preClose', hook: (done: () => void) => void): void;
  close(): Promise<void>;
  routing: RequestListener;
}

interface Modules {
  buildApp(options: object): App;
  SqsStore: SqsStoreClass;
  SnsStore: new () => object;
  S3Store: new () => S3Store;
  PersistenceManager: new (dir: string) => Persistence;
}

async function loadModules(): Promise<Modules> {
  const entry = import.meta.resolve('fauxqs');
  const files = ['./app.js', './sqs/sqsStore.js', './sns/snsStore.js', './s3/s3Store.js', './persistence.js'];
  const loaded = await Promise.all(files.map((file) => import(new URL(file, entry).href) as Promise<object>));
  return Object.assign({}, ...loaded) as Modules;
}

/**
 * @param dataDir folder that keeps messages and objects (SQLite); forgotten at close without it
 */
export async function startFauxqs(dataDir?: string): Promise<QueueServer> {
  const modules = await loadModules();
  const sqsStore = new modules.SqsStore();
  const s3Store = new modules.S3Store();
  const snsStore = new modules.SnsStore();
  const persistence = dataDir === undefined ? undefined : new modules.PersistenceManager(dataDir);
  if (persistence) {
    // Loaded before the stores know of the file: each load would otherwise be written back.
    persistence.load(sqsStore, snsStore, s3Store);
    for (const queue of sqsStore.allQueues()) queue.persistence = persistence;
    sqsStore.persistence = persistence;
    s3Store.persistence = persistence;
  }
  const app = modules.buildApp({
    logger: false,
    defaultRegion: REGION,
    stores: { sqsStore, snsStore, s3Store },
  });
  if (persistence) {
    app.addHook('preClose', (done) => {
      persistence.close();
      done();
    });
  }
  await app.ready();

  return {
    listener: app.routing,
    createQueue(name, url, attributes) {
      const known = sqsStore.getQueueByName(name);
      if (known) known.setAttributes(attributes);
      else sqsStore.createQueue(name, url, arn('sqs', name), attributes);
    },
    createBucket(name) {
      if (!s3Store.hasBucket(name)) s3Store.createBucket(name, 'general-purpose');
    },
    queueState(name) {
      const queue = sqsStore.getQueueByName(name);
      if (!queue) return undefined;
      queue.processTimers();
      return {
        ready: queue.messages.length,
        delayed: queue.delayedMessages.length,
        inFlight: queue.inflightMessages.size,
      };
    },
    sendGrouped(input) {
      const where = { stack: 'sqs', logicalId: 'SendMessage' };
      const url = asString(input.QueueUrl, where);
      const queue = sqsStore.getQueueByName(url.slice(url.lastIndexOf('/') + 1));
      if (!queue) throw new Error(`there is no queue ${url}`);
      const delay = Number(input.DelaySeconds ?? queue.attributes.DelaySeconds ?? 0);
      const message = modules.SqsStore.createMessage(
        asString(input.MessageBody, where),
        isObject(input.MessageAttributes) ? input.MessageAttributes : {},
        delay > 0 ? delay : undefined,
        asString(input.MessageGroupId, where),
      );
      queue.enqueue(message);
      const answer: JsonObject = { MessageId: message.messageId, MD5OfMessageBody: message.md5OfBody };
      if (message.md5OfMessageAttributes) answer.MD5OfMessageAttributes = message.md5OfMessageAttributes;
      return answer;
    },
    close: () => app.close(),
  };
}
