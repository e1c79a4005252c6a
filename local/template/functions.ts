/** Lambda functions of the template as specifications that the runner takes. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionSpec } from '../types.ts';
import type { StackTemplate } from './assembly.ts';
import { asNumber, asObject, asString, isObject, type JsonObject, TemplateError } from './json.ts';
import { type Model, type Resource, whereIs } from './model.ts';
import { deployers } from './sites.ts';

/** Properties that are heeded or change nothing locally; any other would be silently not run. */
const PROPERTIES = new Set([
  'Architectures',
  'Code',
  'Description',
  'Environment',
  'EphemeralStorage',
  'FunctionName',
  'Handler',
  'LoggingConfig',
  'MemorySize',
  'ReservedConcurrentExecutions',
  'Role',
  'Runtime',
  'RuntimeManagementConfig',
  'Tags',
  'Timeout',
  'TracingConfig',
]);

/** The functions, and what to call when they are no longer needed (removes folders made for inline code). */
export interface Functions {
  specs: FunctionSpec[];
  dispose(): void;
}

/**
 * Reads every `AWS::Lambda::Function`, but for what copies a web site's files at deployment.
 *
 * @throws TemplateError for a runtime, property, role or code that the local cloud cannot run
 */
export function readFunctions(model: Model, stacks: StackTemplate[]): Functions {
  const assets = new Map(stacks.flatMap((stack) => [...stack.assets]));
  const roleArns = new Set(model.ofType('AWS::IAM::Role').map(({ attributes }) => attributes.Arn));
  const temporary: string[] = [];
  const atDeployment = deployers(model);
  const running = model
    .ofType('AWS::Lambda::Function')
    .filter(({ attributes }) => !atDeployment.has(attributes.Arn as string));
  const specs = running.map((resource): FunctionSpec => {
    const { properties } = resource;
    for (const name of Object.keys(properties)) {
      if (!PROPERTIES.has(name)) throw new TemplateError(whereIs(resource, name), 'is not supported here');
    }
    const runtime = asString(properties.Runtime, whereIs(resource, 'Runtime'));
    if (runtime !== 'nodejs24.x') {
      throw new TemplateError(whereIs(resource, 'Runtime'), `only nodejs24.x runs here, not ${runtime}`);
    }
    const roleArn = asString(properties.Role, whereIs(resource, 'Role'));
    if (!roleArns.has(roleArn)) {
      throw new TemplateError(whereIs(resource, 'Role'), `the role ${roleArn} is not in any template`);
    }
    const spec: FunctionSpec = {
      logicalId: resource.logicalId,
      stack: resource.stack,
      name: resource.ref,
      arn: resource.attributes.Arn as string,
      codeDir: codeDir(resource, assets, temporary),
      handler: asString(properties.Handler, whereIs(resource, 'Handler')),
      environment: environment(resource),
      timeout: asNumber(properties.Timeout ?? 3, whereIs(resource, 'Timeout')),
      memory: asNumber(properties.MemorySize ?? 128, whereIs(resource, 'MemorySize')),
      accessKeyId: `LOCAL-${resource.ref}`,
      roleArn,
    };
    if (properties.ReservedConcurrentExecutions !== undefined) {
      spec.reservedConcurrency = asNumber(
        properties.ReservedConcurrentExecutions,
        whereIs(resource, 'ReservedConcurrentExecutions'),
      );
    }
    return spec;
  });
  return {
    specs,
    dispose() {
      for (const dir of temporary) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Name of the log group that a function writes to. */
export function logGroupOf(resource: Resource): string {
  const logging = resource.properties.LoggingConfig;
  const own = isObject(logging) ? logging.LogGroup : undefined;
  return typeof own === 'string' ? own : `/aws/lambda/${resource.ref}`;
}

function environment(resource: Resource): Record<string, string> {
  const value = resource.properties.Environment;
  const variables: JsonObject = isObject(value) && isObject(value.Variables) ? value.Variables : {};
  const result: Record<string, string> = {};
  for (const [name, text] of Object.entries(variables)) {
    result[name] = asString(text, whereIs(resource, `Environment.Variables.${name}`));
  }
  return result;
}

function codeDir(resource: Resource, assets: Map<string, string>, temporary: string[]): string {
  const where = whereIs(resource, 'Code');
  const code = asObject(resource.properties.Code, where);
  if (typeof code.ZipFile === 'string') {
    const dir = mkdtempSync(join(tmpdir(), 'peal-inline-'));
    temporary.push(dir);
    writeFileSync(join(dir, 'index.js'), code.ZipFile);
    return dir;
  }
  const dir = assets.get(asString(code.S3Key, where));
  if (dir === undefined || !existsSync(dir)) {
    throw new TemplateError(
      where,
      `the asset ${String(code.S3Key)} is not in the assembly: synthesize again`,
    );
  }
  if (!statSync(dir).isDirectory()) throw new TemplateError(where, `the asset ${dir} is not a folder`);
  return dir;
}
