/** Small cloud assemblies and functions for tests of the local cloud. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Engine, type EngineOptions, startEngine } from '../../local/engine.ts';
import { createMeter } from '../../local/meter.ts';
import type { JsonObject } from '../../local/template/json.ts';
import type { CloudLog, FunctionSpec, InvokeResult, LocalFunction } from '../../local/types.ts';

/** What a helper needs of a test: where to register what is to be undone after it. */
export interface Cleanup {
  after(undo: () => unknown): void;
}

/** A folder that is removed after the test. */
export function temporaryDir(t: Cleanup): string {
  const dir = mkdtempSync(join(tmpdir(), 'peal-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes an assembly of the given stacks, each depending on the one before. */
export function writeAssembly(t: Cleanup, stacks: Record<string, JsonObject>): string {
  const dir = temporaryDir(t);
  const artifacts: JsonObject = {};
  let before: string[] = [];
  for (const [name, template] of Object.entries(stacks)) {
    const templateFile = `${name}.template.json`;
    writeFileSync(join(dir, templateFile), JSON.stringify(template));
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      properties: { templateFile },
      dependencies: before,
    };
    before = [name];
  }
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ version: '55.0.0', artifacts }));
  return dir;
}

/** An assembly of one stack named `Test`. */
export function writeStack(t: Cleanup, resources: JsonObject, rest: JsonObject = {}): string {
  return writeAssembly(t, { Test: { Resources: resources, ...rest } });
}

/** A role for Lambda with these statements as its inline policy. */
export function role(...statements: JsonObject[]): JsonObject {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [
          { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
        ],
      },
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
      Policies:
        statements.length > 0 ? [{ PolicyName: 'own', PolicyDocument: { Statement: statements } }] : [],
    },
  };
}

export function allow(
  action: string | string[],
  resource: JsonObject | string,
  rest: JsonObject = {},
): JsonObject {
  return { Effect: 'Allow', Action: action, Resource: resource, ...rest };
}

/** A function whose code is never run: tests give it one of their own. */
export function lambda(roleId: string, properties: JsonObject = {}): JsonObject {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { ZipFile: 'exports.handler = async () => {}' },
      Handler: 'index.handler',
      Role: { 'Fn::GetAtt': [roleId, 'Arn'] },
      Runtime: 'nodejs24.x',
      Timeout: 1,
      ...properties,
    },
  };
}

/** A table with partition key `pk` and sort key `sk`, both text, that expires by `ttl`. */
export function table(): JsonObject {
  return {
    Type: 'AWS::DynamoDB::GlobalTable',
    Properties: {
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    },
  };
}

export const getAtt = (id: string, attribute = 'Arn'): JsonObject => ({ 'Fn::GetAtt': [id, attribute] });

/** A line of the cloud's log. */
export interface Line {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** A log that keeps its lines. */
export function keepLog(): { log: CloudLog; lines: Line[] } {
  const lines: Line[] = [];
  return { log: (level, message, fields = {}) => lines.push({ level, message, fields }), lines };
}

/** An engine with what it logged and counted. */
export type TestEngine = Engine & { lines: Line[]; meter: EngineOptions['meter'] };

/** An engine over `assembly` that is closed after the test. */
export async function engineOf(
  t: Cleanup,
  assembly: string,
  options: Partial<EngineOptions> = {},
): Promise<TestEngine> {
  const { log, lines } = keepLog();
  const meter = createMeter();
  const engine = await startEngine({ assembly, log, meter, sweepInterval: 0, ...options });
  t.after(() => engine.close());
  return Object.assign(engine, { lines, meter });
}

/** A function that runs `handler` in this process. What it throws is an error of type `Error`. */
export function inProcess(spec: FunctionSpec, handler: (event: unknown) => unknown): LocalFunction {
  return {
    spec,
    async invoke(event): Promise<InvokeResult> {
      try {
        return { payload: await handler(event), duration: 0, requestId: 'test' };
      } catch (error) {
        return {
          error: { type: 'Error', message: (error as Error).message },
          duration: 0,
          requestId: 'test',
        };
      }
    },
    kill() {},
    async close() {},
  };
}

/** Starts an engine's functions, all of them with one handler. */
export function startWith(engine: Engine, handler: (event: unknown) => unknown): void {
  engine.start(new Map(engine.specs.map((spec) => [spec.name, inProcess(spec, handler)])));
}

/** One engine for all tests of a `describe`: started before them, closed after them. */
export function sharedEngine(
  assembly: (t: Cleanup) => string,
  options: Partial<EngineOptions> = {},
): () => TestEngine {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = { after: (one) => void undo.unshift(one) };
  let engine: TestEngine | undefined;
  before(async () => {
    engine = await engineOf(cleanup, assembly(cleanup), options);
  });
  after(async () => {
    for (const one of undo) await one();
  });
  return () => engine as TestEngine;
}
