/** The data side of the local cloud: reads the templates, stands in for AWS's services, feeds functions from queues. */
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { type Backend, createBackend } from './aws/backend.ts';
import { createDynamo } from './aws/dynamodb.ts';
import { awsEnvironment } from './aws/environment.ts';
import { Front } from './aws/front.ts';
import { createLambda } from './aws/lambda.ts';
import type { PartitionLimit } from './aws/partition-limit.ts';
import { createS3 } from './aws/s3.ts';
import { createSecrets, initialSecret, SecretStore } from './aws/secrets.ts';
import { createSqs } from './aws/sqs.ts';
import { createAsyncInvoker, readRetries } from './event-source/async-invoke.ts';
import { type Mapping, readMappings } from './event-source/mapping.ts';
import { Poller } from './event-source/poller.ts';
import { type Rules, readRules, startRules } from './events/rules.ts';
import { checkPollGrants, createIam } from './iam/functions.ts';
import type { Iam } from './iam/iam.ts';
import { type MayInvoke, readPermissions } from './iam/permissions.ts';
import { MAX_ENVIRONMENTS } from './lambda/function.ts';
import { readCors } from './resources/cors.ts';
import { claimDataDir } from './resources/data-dir.ts';
import { type Emulator, startDynalite } from './resources/dynalite.ts';
import { type QueueServer, type QueueState, startFauxqs } from './resources/fauxqs.ts';
import { readExpiryRules, sweepExpiredObjects } from './resources/lifecycle.ts';
import { createBuckets, createQueues, type Queue } from './resources/queues.ts';
import { createTables, type Table } from './resources/tables.ts';
import { sweepExpiredItems } from './resources/ttl.ts';
import { loadAssembly, type StackTemplate } from './template/assembly.ts';
import { Deployment } from './template/deployment.ts';
import { readFunctions } from './template/functions.ts';
import { isObject } from './template/json.ts';
import { buildModel, type Model } from './template/model.ts';
import { readSites, type SiteDescription } from './template/sites.ts';
import type { CloudLog, FunctionSpec, InvokeResult, LocalFunction, Meter } from './types.ts';

export interface EngineOptions {
  /** Folder of the cloud assembly (`cdk.out`). */
  assembly: string;
  /** Keeps tables, queues, objects and secrets across restarts; forgotten at close without it. */
  dataDir?: string;
  log: CloudLog;
  meter: Meter;
  /** Milliseconds since 1970: what expiry goes by. */
  now?: () => number;
  /** Seconds between an item's expiry and its deletion. AWS: within a few days; default 1 hour. */
  ttlLateness?: number;
  /** Milliseconds between sweeps of what expired; 0: only when `sweep` is called. Default 1 minute. */
  sweepInterval?: number;
  /** Milliseconds before the second and third try of an asynchronous invocation. AWS: 1 and 2 minutes. */
  asyncRetryDelays?: readonly number[];
  /** Whether scheduled rules keep their schedules; `off`: they only run when they are triggered. Default on. */
  schedules?: 'off' | 'on';
  /** What one partition of a table serves a second, such as `PARTITION_LIMIT`. Default: whatever is asked of it. */
  partitionLimit?: PartitionLimit;
  /** Most invocations at a time for each queue, where the template allows more: spares a small machine cold starts. */
  pollConcurrency?: number;
}

export interface Engine {
  readonly model: Model;
  /** The functions of the template, to be made invocable by the caller. */
  readonly specs: readonly FunctionSpec[];
  /** The web sites of the template, to be served by the caller. */
  readonly sites: readonly SiteDescription[];
  readonly front: Front;
  readonly iam: Iam;
  readonly mayInvoke: MayInvoke;
  /** By name. */
  readonly tables: ReadonlyMap<string, Table>;
  /** By ARN. */
  readonly queues: ReadonlyMap<string, Queue>;
  readonly buckets: readonly string[];
  readonly secrets: SecretStore;
  /** One for each event source mapping, from `start` on. */
  readonly pollers: readonly Poller[];
  /** Sends an event of the scheduled rule with this logical id now. @returns what each of its functions' first try gave */
  trigger(rule: string): Promise<InvokeResult[]>;
  /** Environment for a function's AWS SDK; root's without a function. */
  awsEnvironment(spec?: FunctionSpec): Record<string, string>;
  /** Connects the functions and starts to poll the queues for them. */
  start(functions: ReadonlyMap<string, LocalFunction>): void;
  /** Messages of a queue by state. */
  queueState(name: string): QueueState;
  /** As the template has them; this machine polls with less. */
  mappings: readonly Mapping[];
  /** Deletes what has expired by a time (Unix milliseconds, default now); returns how many items and objects. */
  sweep(at?: number): Promise<{ items: number; objects: number }>;
  /** Stops polling: no function is invoked any more, those under way are awaited. */
  stopPolling(): Promise<void>;
  close(): Promise<void>;
}

const HOUR = 3600;
const MINUTE = 60_000;
/**
 * Starts everything that the templates name except functions and gateways.
 *
 * @throws TemplateError for what the local cloud cannot run as AWS would
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const stacks = loadAssembly(options.assembly);
  const opened = new Closers();
  try {
    return await open(stacks, options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** What was opened so far; closed in the reverse order. */
class Closers {
  readonly #closers: (() => unknown)[] = [];

  add(closer: () => unknown): void {
    this.#closers.unshift(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0)) await closer();
  }
}

async function open(stacks: StackTemplate[], options: EngineOptions, opened: Closers): Promise<Engine> {
  const { log, meter, now = Date.now, dataDir } = options;
  const within = (name: string): string | undefined =>
    dataDir === undefined ? undefined : join(dataDir, name);
  // What CloudFormation would refuse to deploy is not run.
  new Deployment().deployAll(stacks);
  if (dataDir !== undefined) opened.add(claimDataDir(dataDir));

  const [dynalite, fauxqs] = await startEmulators(within, opened);
  const dynamo = connect(dynalite.listener, opened);
  const storage = connect(fauxqs.listener, opened);
  const front = new Front({ log, now });
  await front.listen();
  opened.add(() => front.close());

  const secrets = new SecretStore(within('secrets.json'), now);
  const model = buildModel(stacks, {
    frontUrl: front.url,
    secret: (id, key) => readSecret(secrets, id, key),
  });
  for (const resource of model.ofType('AWS::SecretsManager::Secret')) {
    secrets.create(resource.ref, initialSecret(resource.properties));
  }
  // Evaluates everything now: what cannot be resolved must be known at the start.
  for (const resource of model.resources) void resource.properties;

  const functions = readFunctions(model, stacks);
  opened.add(() => functions.dispose());
  const iam = createIam(model, functions.specs, log);
  const tables = await createTables(model, dynamo);
  const queues = createQueues(model, fauxqs);
  const buckets = createBuckets(model, fauxqs);
  const rules = readExpiryRules(model);
  const mappings = readMappings(model, functions.specs, queues);
  const scheduled = readRules(model, functions.specs);
  const feeds = ({ name }: FunctionSpec) => mappings.filter((one) => one.function.name === name).length;
  let started: Rules | undefined;
  opened.add(() => started?.close());
  const asyncInvoker = createAsyncInvoker(readRetries(model), log, options.asyncRetryDelays);
  opened.add(() => asyncInvoker.close());

  let running: ReadonlyMap<string, LocalFunction> = new Map();
  const services = {
    dynamodb: createDynamo({
      backend: dynamo,
      tables,
      meter,
      log,
      now,
      partitionLimit: options.partitionLimit,
    }),
    sqs: createSqs({ backend: storage, meter, sendGrouped: fauxqs.sendGrouped }),
    s3: createS3({ backend: storage, meter, iam }),
    secretsmanager: createSecrets(secrets, meter),
    lambda: createLambda({ find: (name) => running.get(name), invokeLater: asyncInvoker.invoke }),
  };
  front.connect(iam, services, readCors(model));

  const queueState = (name: string): QueueState => {
    const state = fauxqs.queueState(name);
    if (!state) throw new Error(`there is no queue ${name}`);
    return state;
  };
  const sweep = async (at = now()): Promise<{ items: number; objects: number }> => ({
    items: await sweepExpiredItems({
      backend: dynamo,
      tables: tables.values(),
      lateness: options.ttlLateness ?? HOUR,
      now: at,
    }),
    objects: await sweepExpiredObjects(storage, rules, at),
  });
  const pollers: Poller[] = [];
  const { sweepInterval = MINUTE } = options;
  if (sweepInterval > 0) opened.add(startSweeping(sweep, sweepInterval, log));

  for (const { queue, function: spec, id } of mappings) checkPollGrants(model, iam, spec, queue, id);
  return {
    model,
    specs: functions.specs,
    sites: readSites(model, stacks),
    front,
    iam,
    mayInvoke: readPermissions(model, 'apigateway.amazonaws.com'),
    tables,
    queues,
    buckets,
    secrets,
    pollers,
    async trigger(rule) {
      if (!started) throw new Error('the functions are not connected yet');
      return started.trigger(rule);
    },
    awsEnvironment: (spec) => awsEnvironment(front, spec),
    start(given) {
      running = given;
      started = startRules({
        rules: scheduled,
        functions: given,
        invoker: asyncInvoker,
        mayInvoke: readPermissions(model, 'events.amazonaws.com'),
        log,
        now,
        schedules: options.schedules ?? 'on',
      });
      for (const each of mappings) {
        // Of several mappings none may use up the function's environments: on AWS each has its own share of them.
        const share = feeds(each.function) > 1 ? MAX_ENVIRONMENTS : Infinity;
        const maximumConcurrency = Math.min(
          each.maximumConcurrency,
          share,
          options.pollConcurrency ?? Infinity,
        );
        const mapping = { ...each, maximumConcurrency };
        const target = given.get(mapping.function.name);
        if (!target) throw new Error(`there is no function ${mapping.function.name}`);
        const state = () => queueState(mapping.queue.name);
        const poller = new Poller({ mapping, target, front, log, queueState: state });
        pollers.push(poller);
        poller.start();
      }
    },
    mappings,
    queueState,
    sweep,
    stopPolling: async () => {
      await Promise.all(pollers.map((poller) => poller.close()));
    },
    async close() {
      await Promise.all(pollers.map((poller) => poller.close()));
      await opened.close();
    },
  };
}

async function startEmulators(
  within: (name: string) => string | undefined,
  opened: Closers,
): Promise<[Emulator, QueueServer]> {
  const [dynalite, fauxqs] = await Promise.all([
    startDynalite(within('dynamodb')),
    startFauxqs(within('sqs-s3')),
  ]);
  opened.add(() => dynalite.close());
  opened.add(() => fauxqs.close());
  return [dynalite, fauxqs];
}

function connect(emulator: RequestListener, opened: Closers): Backend {
  const backend = createBackend(emulator);
  opened.add(() => backend.close());
  return backend;
}

function readSecret(secrets: SecretStore, id: string, key: string | undefined): string {
  const value = secrets.find(id)?.current.value;
  if (value === undefined) throw new Error(`the template refers to a secret that does not exist: ${id}`);
  if (key === undefined) return value;
  const content: unknown = JSON.parse(value);
  if (!isObject(content) || content[key] === undefined) throw new Error(`the secret ${id} has no key ${key}`);
  return String(content[key]);
}

function startSweeping(sweep: () => Promise<unknown>, interval: number, log: CloudLog): () => Promise<void> {
  let underway: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    underway = sweep().catch((error: Error) =>
      log('error', `sweeping what expired failed: ${error.message}`),
    );
  }, interval);
  return async () => {
    clearInterval(timer);
    await underway;
  };
}
