/** The local cloud: everything that the synthesized templates deploy, running on this machine. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Front } from './aws/front.ts';
import { createEdge, type Edge } from './edge/server.ts';
import { type Engine, type EngineOptions, startEngine } from './engine.ts';
import type { Poller } from './event-source/poller.ts';
import { createHttpApi, type HttpApi } from './http-api/server.ts';
import { type Iam, ROOT } from './iam/iam.ts';
import { createFunction, type LambdaFunction, MAX_ENVIRONMENTS } from './lambda/function.ts';
import { createSpares } from './lambda/spares.ts';
import { createMeter } from './meter.ts';
import { type Authority, createAuthority } from './network/ca.ts';
import { redirectEnvironment, redirectPreload } from './network/preload.ts';
import type { Queue } from './resources/queues.ts';
import { readApis } from './template/apis.ts';
import { readEdges } from './template/edges.ts';
import { REGION } from './template/pseudo.ts';
import type { CloudLog, InvokeResult, Meter } from './types.ts';
import { createWebSite, type WebSite } from './web/server.ts';
import { createWebSocketApi, type WebSocketApi, type WebSocketApiOptions } from './websocket-api/server.ts';

/** Stand-ins for the world outside the templates. */
export interface Outside {
  /** `host:port` of the real world → local port; a TLS server there has a certificate of the cloud's authority. */
  hosts: Record<string, number>;
  /** Values for secrets, by the beginning of their logical ids: set on every start. */
  secrets?: Record<string, string>;
  close(): Promise<void>;
}

export interface CloudOptions extends Omit<EngineOptions, 'meter'> {
  meter?: Meter;
  /** Ports of the first HTTP API, what stands before it, the first WebSocket API and the first web site; 0 (default) for any. */
  ports?: { api?: number; edge?: number; socket?: number; web?: number };
  /** Host names besides its own under which the first HTTP API is reached over TLS. */
  apiNames?: readonly string[];
  /** Starts the stand-ins for carriers with certificates from `authority`. Without it functions reach nothing outside. */
  outside?: (context: {
    authority: Authority;
    front: Front;
    log: CloudLog;
    now: () => number;
  }) => Promise<Outside>;
  /** Limits and timers of the WebSocket APIs, for tests. */
  webSocket?: Pick<WebSocketApiOptions, 'idle' | 'life' | 'connectRate' | 'integrationTimeout' | 'timers'>;
  /** Milliseconds until an HTTP API gives up a function; AWS: 30 s. */
  httpTimeout?: number;
  /** Stop idle execution environments, as Lambda does. Default false. */
  freeze?: boolean;
  /** Keep processes waiting for a cold start, which is faster then; who is in no hurry saves them. Default true. */
  startAhead?: boolean;
}

/** A running cloud. Names are looked up by the beginning of the logical id: `Mailbox` finds `Mailbox1948DAAE`. */
export interface Cloud {
  /** The first HTTP API of the template; undefined if it has none. */
  readonly api: HttpApi | undefined;
  /** What stands before the first API, if a distribution does: clients reach the API there alone. */
  readonly edge: Edge | undefined;
  /** The first WebSocket API of the template; undefined if it has none. */
  readonly socket: WebSocketApi | undefined;
  /** The first web site of the template; undefined if it has none. */
  readonly web: WebSite | undefined;
  /** By name. */
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly front: Front;
  readonly meter: Meter;
  readonly iam: Iam;
  readonly engine: Engine;
  /** What functions are given to trust; servers of `outside` have their certificates from it. */
  readonly authority: Authority;
  functionNamed(prefix: string): LambdaFunction;
  tableName(prefix: string): string;
  queue(prefix: string): Queue;
  /** The event source mapping of the function with this logical id; of several the first, or the one of a queue. */
  poller(functionPrefix: string, queuePrefix?: string): Poller;
  /** Has a scheduled rule send its event now. @returns what each of its functions' first try gave */
  trigger(rulePrefix: string): Promise<InvokeResult[]>;
  /** Makes `value` the current version of a secret. */
  putSecret(prefix: string, value: string): Promise<void>;
  /** The current version of a secret. */
  readSecret(prefix: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts the cloud that the assembly describes.
 *
 * @throws TemplateError for what cannot be run as AWS would run it; nothing is left running then
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { log, now = Date.now, meter = createMeter() } = options;
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const engine = await startEngine({ ...options, meter });
    closers.push(() => engine.close());
    const authority = await createAuthority();
    const outside = await options.outside?.({ authority, front: engine.front, log, now });
    if (outside) closers.push(() => outside.close());
    const find = finder(engine);
    const putSecret = async (prefix: string, value: string): Promise<void> => {
      const input = { SecretId: find(prefix, 'AWS::SecretsManager::Secret').ref, SecretString: value };
      await engine.front.send(ROOT, 'secretsmanager', 'PutSecretValue', input);
    };
    const readSecret = async (prefix: string): Promise<string> => {
      const input = { SecretId: find(prefix, 'AWS::SecretsManager::Secret').ref };
      const { SecretString } = await engine.front.send(ROOT, 'secretsmanager', 'GetSecretValue', input);
      return SecretString as string;
    };
    for (const [prefix, value] of Object.entries(outside?.secrets ?? {})) await putSecret(prefix, value);

    const functions = new Map<string, LambdaFunction>();
    const byArn = (arn: string): LambdaFunction | undefined =>
      functions.get(engine.specs.find((spec) => spec.arn === arn)?.name ?? '');
    const shared = { functions: byArn, mayInvoke: engine.mayInvoke, log, meter, authority };
    const apis = readApis(engine.model);
    const sockets: WebSocketApi[] = [];
    for (const [index, api] of apis.webSocket.entries()) {
      const socket = await createWebSocketApi(api, {
        ...shared,
        ...options.webSocket,
        port: index === 0 ? (options.ports?.socket ?? 0) : 0,
        authorize: (accessKeyId, action, resource) => {
          const decision = engine.iam.authorize(accessKeyId, action, resource);
          return decision.allowed ? { allowed: true, message: '' } : decision;
        },
      });
      sockets.push(socket);
      closers.push(() => socket.close());
    }
    const https: HttpApi[] = [];
    for (const [index, api] of apis.http.entries()) {
      const http = await createHttpApi(api, {
        ...shared,
        now,
        port: index === 0 ? (options.ports?.api ?? 0) : 0,
        names: index === 0 ? (options.apiNames ?? []) : [],
        ...(options.httpTimeout === undefined ? {} : { integrationTimeout: options.httpTimeout }),
      });
      https.push(http);
      closers.push(() => http.close());
    }

    const described = readEdges(engine.model);
    const edges: Edge[] = [];
    for (const [index, edge] of described.entries()) {
      const at = apis.http.findIndex(({ apiId }) => edge.origin.startsWith(`${apiId}.`));
      const originPort = https[at]?.port;
      if (originPort === undefined) throw new Error(`${edge.names[0]} stands before no API of the templates`);
      const port = index === 0 ? (options.ports?.edge ?? 0) : 0;
      const made = await createEdge(edge, { port, originPort, authority, log });
      edges.push(made);
      closers.push(() => made.close());
    }

    const hosts: Record<string, number> = { ...outside?.hosts };
    const named = [
      ...apis.http.flatMap(({ names = [] }, index) =>
        names.map((name) => ({ scheme: 'https', name, server: https[index] as HttpApi })),
      ),
      ...apis.webSocket.flatMap(({ names = [] }, index) =>
        names.map((name) => ({ scheme: 'wss', name, server: sockets[index] as WebSocketApi })),
      ),
    ];
    for (const { name, server } of named) hosts[`${name}:443`] = server.httpsPort;
    const atEdge = described.flatMap(({ names }, index) =>
      names.map((name) => ({ name, edge: edges[index]! })),
    );
    for (const { name, edge } of atEdge) hosts[`${name}:443`] = edge.httpsPort;
    const addresses = Object.fromEntries([
      ...named.map(({ scheme, name, server }) => [`${scheme}://${name}`, new URL(server.url).origin]),
      ...atEdge.map(({ name, edge }) => [`https://${name}`, edge.url]),
      ...engine.buckets.map((name) => [`https://${name}.s3.${REGION}.amazonaws.com`, engine.front.url]),
    ]);
    const sites: WebSite[] = [];
    for (const [index, description] of engine.sites.entries()) {
      const port = index === 0 ? (options.ports?.web ?? 0) : 0;
      const site = await createWebSite(description, { port, addresses, log });
      sites.push(site);
      closers.push(() => site.close());
    }
    const dir = mkdtempSync(join(tmpdir(), 'peal-cloud-'));
    closers.push(() => rmSync(dir, { recursive: true, force: true }));
    const ca = join(dir, 'ca.pem');
    writeFileSync(ca, authority.pem);
    const network = redirectEnvironment({ hosts, ca, deny: true });
    const spares = createSpares(options.startAhead);
    closers.push(() => spares.close());
    const mappingsOf = (name: string) => engine.mappings.filter((one) => one.function.name === name).length;
    for (const spec of engine.specs) {
      const environment = { ...engine.awsEnvironment(spec), ...network };
      const { freeze = false } = options;
      const made = createFunction(spec, {
        log,
        meter,
        environment,
        preload: [redirectPreload()],
        spares,
        freeze,
        maxEnvironments: MAX_ENVIRONMENTS * Math.max(1, mappingsOf(spec.name)),
      });
      functions.set(spec.name, made);
    }
    closers.push(async () => {
      // Closing the functions settles what runs, which the pollers wait for.
      const stopped = engine.stopPolling();
      await Promise.all([...functions.values()].map((one) => one.close()));
      await stopped;
    });
    engine.start(functions);

    return {
      api: https[0],
      edge: edges[0],
      socket: sockets[0],
      web: sites[0],
      functions,
      front: engine.front,
      meter,
      iam: engine.iam,
      engine,
      authority,
      functionNamed: (prefix) => functions.get(find(prefix, 'AWS::Lambda::Function').ref) as LambdaFunction,
      tableName: (prefix) => find(prefix, 'AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table').ref,
      queue: (prefix) => engine.queues.get(find(prefix, 'AWS::SQS::Queue').attributes.Arn as string) as Queue,
      poller(prefix, queuePrefix = '') {
        const name = find(prefix, 'AWS::Lambda::Function').ref;
        const poller = engine.pollers.find(
          ({ mapping }) => mapping.function.name === name && mapping.queue.logicalId.startsWith(queuePrefix),
        );
        if (!poller) throw new Error(`no queue ${queuePrefix} feeds the function ${name}`);
        return poller;
      },
      trigger: (prefix) => engine.trigger(find(prefix, 'AWS::Events::Rule').logicalId),
      putSecret,
      readSecret,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Finds the one resource of some types whose logical id begins with a prefix. */
function finder(engine: Engine) {
  return (prefix: string, ...types: string[]) => {
    const all = engine.model.ofType(...types);
    const found = all.filter(({ logicalId }) => logicalId.startsWith(prefix));
    const [first] = found;
    if (first && found.length === 1) return first;
    const names = all.map(({ logicalId }) => logicalId).join(', ');
    throw new Error(`${prefix} names ${found.length} of: ${names}`);
  };
}
