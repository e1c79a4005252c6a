/**
 * What CloudFormation remembers of deployed stacks, and what it refuses because of it: exports that are in use, imports
 * and parameters that are not there. What it does not refuse is told, too: a stack that has read what is another by now.
 */
import { createHash } from 'node:crypto';
import type { StackTemplate } from './assembly.ts';
import { evaluate, evaluateCondition, type Scope } from './intrinsics.ts';
import { asString, isObject, type Json, type JsonObject, TemplateError, type Where } from './json.ts';
import { pseudoParameter, REGION } from './pseudo.ts';

/** Written by `cdk bootstrap`, not by a stack of an app. */
const BOOTSTRAP = '/cdk-bootstrap/';

/** With this in its description, CDK does not look whether a parameter of Systems Manager has changed. */
const NO_LOOK = '[cdk:skip]';

/** A value that a stack has read of another: how it asked, and what it was told. */
interface Reading {
  by: 'export' | 'output' | 'parameter';
  /** Of an output `stack.output`. */
  name: string;
  region: string;
  value: string;
}

interface Deployed {
  stack: StackTemplate;
  outputs: Map<string, string>;
  exports: Map<string, string>;
  /** Parameters of Systems Manager by their names, with the resource that is it. */
  parameters: Map<string, { logicalId: string; value: string }>;
  readings: Reading[];
}

const regionOf = ({ region = REGION }: StackTemplate) => region;
const section = ({ template }: StackTemplate, name: string): JsonObject =>
  isObject(template[name]) ? template[name] : {};

/**
 * The stacks of an account. Names and ids of resources are made of all that their templates say of them: every change of
 * a resource counts as a replacement, which is the worst that CloudFormation may make of it.
 */
export class Deployment {
  readonly #stacks = new Map<string, Deployed>();

  /**
   * Deploys a stack as `cdk deploy` does, which leaves out what has not changed.
   *
   * @throws TemplateError as CloudFormation refuses it
   */
  deploy(stack: StackTemplate): 'created' | 'left out' | 'updated' {
    const before = this.#stacks.get(stack.name);
    if (before && !looks(stack) && isSame(before.stack, stack)) return 'left out';
    const after = new Reader(stack, this).deployed();
    this.#keepsExports(after, before);
    for (const [name, { logicalId }] of after.parameters) this.#isFree(name, logicalId, after);
    this.#stacks.set(stack.name, after);
    return before ? 'updated' : 'created';
  }

  /** Deploys the stacks of an assembly in their order: `cdk deploy --all`. @throws TemplateError */
  deployAll(stacks: StackTemplate[]): void {
    for (const stack of stacks) this.deploy(stack);
  }

  /** Another account in the same state, which may be changed by itself. */
  copy(): Deployment {
    const copy = new Deployment();
    for (const [name, deployed] of this.#stacks) copy.#stacks.set(name, deployed);
    return copy;
  }

  /** Stacks that go on with what is another or no more, and what that is. */
  stale(): string[] {
    return [...this.#stacks.values()].flatMap(({ stack, readings }) =>
      readings
        .filter((reading) => this.#now(reading) !== reading.value)
        .map(({ by, name }) => `${stack.name} has read an old ${by} ${name}`),
    );
  }

  exported(name: string, region: string): string | undefined {
    for (const { stack, exports } of this.#stacks.values()) {
      if (regionOf(stack) === region && exports.has(name)) return exports.get(name);
    }
    return undefined;
  }

  output(stackName: string, output: string, region: string): string | undefined {
    const deployed = this.#stacks.get(stackName);
    return deployed && regionOf(deployed.stack) === region ? deployed.outputs.get(output) : undefined;
  }

  parameter(name: string, region: string): string | undefined {
    if (name.startsWith(BOOTSTRAP)) return name;
    for (const { stack, parameters } of this.#stacks.values()) {
      const found = regionOf(stack) === region ? parameters.get(name) : undefined;
      if (found) return found.value;
    }
    return undefined;
  }

  #now({ by, name, region }: Reading): string | undefined {
    if (by === 'export') return this.exported(name, region);
    if (by === 'parameter') return this.parameter(name, region);
    const [stack = '', output = ''] = name.split('.');
    return this.output(stack, output, region);
  }

  /** That no export goes or changes which another stack imports. */
  #keepsExports({ stack, exports }: Deployed, before: Deployed | undefined): void {
    for (const [name, value] of before?.exports ?? []) {
      if (exports.get(name) === value) continue;
      const users = [...this.#stacks.values()].filter(
        (other) =>
          other.stack.name !== stack.name &&
          regionOf(other.stack) === regionOf(stack) &&
          other.readings.some((reading) => reading.by === 'export' && reading.name === name),
      );
      if (users.length === 0) continue;
      const change = exports.has(name) ? 'updated' : 'deleted';
      throw new TemplateError(
        { stack: stack.name, logicalId: 'Outputs' },
        `Export ${name} cannot be ${change} as it is in use by ${users.map((user) => user.stack.name).join(', ')}`,
      );
    }
  }

  /** That a parameter's name is nobody else's: CloudFormation makes what is new before it deletes what is old. */
  #isFree(name: string, logicalId: string, { stack }: Deployed): void {
    for (const other of this.#stacks.values()) {
      const taken = regionOf(other.stack) === regionOf(stack) ? other.parameters.get(name) : undefined;
      if (taken && (other.stack.name !== stack.name || taken.logicalId !== logicalId)) {
        throw new TemplateError(
          { stack: stack.name, logicalId },
          `the parameter ${name} already exists: it is ${other.stack.name}/${taken.logicalId}`,
        );
      }
    }
  }
}

function isSame(one: StackTemplate, other: StackTemplate): boolean {
  return JSON.stringify(one.template) === JSON.stringify(other.template);
}

/** Whether CDK has CloudFormation look for other values of parameters. */
function looks(stack: StackTemplate): boolean {
  return Object.values(section(stack, 'Parameters')).some(
    (parameter) =>
      isObject(parameter) &&
      String(parameter.Type).startsWith('AWS::SSM::Parameter::') &&
      !String(parameter.Description).includes(NO_LOOK),
  );
}

/** Reads a template as it is deployed: what it makes, and what it reads of others meanwhile. */
class Reader implements Scope {
  readonly #stack: StackTemplate;
  readonly #deployment: Deployment;
  readonly #readings = new Map<string, Reading>();
  readonly #ids = new Map<string, string | undefined>();

  constructor(stack: StackTemplate, deployment: Deployment) {
    this.#stack = stack;
    this.#deployment = deployment;
  }

  deployed(): Deployed {
    const outputs = new Map<string, string>();
    const exports = new Map<string, string>();
    const parameters: Deployed['parameters'] = new Map();
    // What nothing refers to is read as well.
    for (const name of Object.keys(section(this.#stack, 'Parameters'))) {
      this.ref(name, this.#at('Parameters', name));
    }
    for (const [logicalId, resource] of Object.entries(section(this.#stack, 'Resources'))) {
      if (!isObject(resource) || !this.#exists(resource, logicalId)) continue;
      this.#id(logicalId, this.#at(logicalId));
      if (resource.Type !== 'AWS::SSM::Parameter') continue;
      const { Name, Value } = this.#properties(logicalId, resource);
      const value = asString(Value ?? null, this.#at(logicalId, 'Value'));
      parameters.set(asString(Name ?? null, this.#at(logicalId, 'Name')), { logicalId, value });
    }
    for (const [name, output] of Object.entries(section(this.#stack, 'Outputs'))) {
      const where = this.#at('Outputs', name);
      if (!isObject(output) || !this.#exists(output, 'Outputs')) continue;
      const value = asString(evaluate(output.Value ?? null, this, where) ?? null, where);
      outputs.set(name, value);
      if (!isObject(output.Export)) continue;
      const exportName = asString(evaluate(output.Export.Name ?? null, this, where) ?? null, where);
      exports.set(exportName, value);
    }
    return { stack: this.#stack, outputs, exports, parameters, readings: [...this.#readings.values()] };
  }

  ref(name: string, where: Where): Json | undefined {
    if (name === 'AWS::NoValue') return undefined;
    if (name === 'AWS::Region') return regionOf(this.#stack);
    const pseudo = pseudoParameter(name, this.#stack.name);
    if (pseudo !== undefined) return pseudo;
    const parameter = section(this.#stack, 'Parameters')[name];
    if (!isObject(parameter)) return this.#id(name, where);
    if (parameter.Default === undefined) {
      throw new TemplateError(where, `the parameter ${name} has no default value`);
    }
    if (parameter.Type !== 'AWS::SSM::Parameter::Value<String>') return parameter.Default;
    const stored = String(parameter.Default);
    const value = this.#deployment.parameter(stored, regionOf(this.#stack));
    if (value === undefined) throw new TemplateError(where, `there is no parameter ${stored}`);
    return this.#read({ by: 'parameter', name: stored, region: regionOf(this.#stack), value });
  }

  attribute(logicalId: string, attribute: string, where: Where): Json {
    return `${this.#id(logicalId, where)}.${attribute}`;
  }

  importValue(name: string, where: Where): Json {
    const region = regionOf(this.#stack);
    const value = this.#deployment.exported(name, region);
    if (value === undefined) throw new TemplateError(where, `no stack that is deployed exports ${name}`);
    return this.#read({ by: 'export', name, region, value });
  }

  stackOutput(stack: string, output: string, where: Where, region = regionOf(this.#stack)): Json {
    const value = this.#deployment.output(stack, output, region);
    if (value === undefined) {
      throw new TemplateError(where, `no stack ${stack} with an output ${output} is deployed in ${region}`);
    }
    return this.#read({ by: 'output', name: `${stack}.${output}`, region, value });
  }

  condition(name: string, where: Where): boolean {
    const condition = section(this.#stack, 'Conditions')[name];
    if (condition === undefined) throw new TemplateError(where, `the condition ${name} does not exist`);
    return evaluateCondition(condition, this, this.#at('Conditions', name));
  }

  mapping(map: string, first: string, second: string): Json | undefined {
    const maps = section(this.#stack, 'Mappings')[map];
    const top = isObject(maps) ? maps[first] : undefined;
    return isObject(top) ? top[second] : undefined;
  }

  /** Whatever a secret is: only its name matters here. */
  dynamic(reference: string): string {
    return `resolved ${reference}`;
  }

  #at(logicalId: string, property?: string): Where {
    return { stack: this.#stack.name, logicalId, ...(property !== undefined && { property }) };
  }

  #exists({ Condition }: JsonObject, logicalId: string): boolean {
    return typeof Condition !== 'string' || this.condition(Condition, this.#at(logicalId));
  }

  #read(reading: Reading): string {
    this.#readings.set(`${reading.by} ${reading.name}`, reading);
    return reading.value;
  }

  #properties(logicalId: string, { Properties }: JsonObject): JsonObject {
    const value = evaluate(Properties ?? {}, this, this.#at(logicalId));
    return isObject(value) ? value : {};
  }

  /** What `Ref` gives: a name that is another when anything that the resource is made of is another. */
  #id(logicalId: string, where: Where): string {
    const known = this.#ids.get(logicalId);
    if (known !== undefined) return known;
    if (this.#ids.has(logicalId))
      throw new TemplateError(where, `the name of ${logicalId} depends on itself`);
    const resource = section(this.#stack, 'Resources')[logicalId];
    if (!isObject(resource)) throw new TemplateError(where, `there is no resource or parameter ${logicalId}`);
    this.#ids.set(logicalId, undefined);
    const made = JSON.stringify([resource.Type ?? null, this.#properties(logicalId, resource)]);
    const id = `${this.#stack.name}-${logicalId}-${createHash('sha256').update(made).digest('hex').slice(0, 12)}`;
    this.#ids.set(logicalId, id);
    return id;
  }
}
