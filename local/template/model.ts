/** The whole deployment as resolved resources: every stack's template with each intrinsic evaluated. */
import type { StackTemplate } from './assembly.ts';
import { type Identity, identify, KNOWN_TYPES } from './identity.ts';
import { evaluate, evaluateCondition, type Scope } from './intrinsics.ts';
import { asString, isObject, type Json, type JsonObject, TemplateError, type Where } from './json.ts';
import { pseudoParameter } from './pseudo.ts';

/** A resource as AWS would have created it. */
export interface Resource {
  stack: string;
  logicalId: string;
  type: string;
  /** What `Ref` gives. */
  ref: string;
  /** What `Fn::GetAtt` gives, by attribute. */
  attributes: Record<string, string>;
  /** Resolved; evaluated when first read. */
  readonly properties: JsonObject;
}

export interface Model {
  /** Every resource whose condition holds, stacks in order of deployment. */
  resources: Resource[];
  ofType(...types: string[]): Resource[];
  /** Outputs by stack and logical id. */
  outputs: Record<string, Record<string, Json>>;
}

export interface ModelOptions {
  /** Where the AWS front answers: queue URLs point there. */
  frontUrl: string;
  /** Value of a secret for `{{resolve:secretsmanager:…}}`: the whole text, or one key of its JSON. */
  secret(id: string, jsonKey: string | undefined): string;
}

/** Where a resource stands in its template, for messages. */
export function whereIs(resource: Resource, property?: string): Where {
  const where: Where = { stack: resource.stack, logicalId: resource.logicalId };
  if (property !== undefined) where.property = property;
  return where;
}

/**
 * Resolves all stacks together.
 *
 * @throws TemplateError that names stack, logical id and property for a resource type, function, name or attribute
 *   that is not known: what is not run here must not look as if it were
 */
export function buildModel(stacks: StackTemplate[], options: ModelOptions): Model {
  const all = new Map<string, StackModel>();
  for (const stack of stacks) all.set(stack.name, new StackModel(stack, all, options));
  const resources = [...all.values()].flatMap((stack) => stack.resources());
  const outputs: Model['outputs'] = {};
  for (const [name, stack] of all) outputs[name] = stack.outputs();
  return {
    resources,
    ofType: (...types) => resources.filter(({ type }) => types.includes(type)),
    outputs,
  };
}

function section(template: JsonObject, name: string): JsonObject {
  const value = template[name];
  return isObject(value) ? value : {};
}

class StackModel implements Scope {
  readonly #stack: StackTemplate;
  readonly #all: Map<string, StackModel>;
  readonly #options: ModelOptions;
  readonly #identities = new Map<string, Identity | 'open'>();

  constructor(stack: StackTemplate, all: Map<string, StackModel>, options: ModelOptions) {
    this.#stack = stack;
    this.#all = all;
    this.#options = options;
  }

  resources(): Resource[] {
    const found: Resource[] = [];
    for (const [logicalId, value] of Object.entries(section(this.#stack.template, 'Resources'))) {
      const where: Where = { stack: this.#stack.name, logicalId };
      const resource = this.#resource(logicalId, where);
      if (!resource || ((value as JsonObject).Condition !== undefined && !this.#created(logicalId))) continue;
      const { ref, attributes } = this.#identity(logicalId, where);
      found.push(lazyResource(where, resource, ref, attributes, this));
    }
    return found;
  }

  outputs(): Record<string, Json> {
    const values: Record<string, Json> = {};
    for (const name of Object.keys(section(this.#stack.template, 'Outputs'))) {
      const value = this.output(name);
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  /** The value of an output; undefined if the stack has none of that name. */
  output(name: string): Json | undefined {
    const output = section(this.#stack.template, 'Outputs')[name];
    if (!isObject(output) || output.Value === undefined) return undefined;
    const where: Where = { stack: this.#stack.name, logicalId: 'Outputs', property: name };
    if (typeof output.Condition === 'string' && !this.condition(output.Condition, where)) return undefined;
    return evaluate(output.Value, this, where);
  }

  /** The name of the output that exports `exportName`, if this stack has it. */
  exporting(exportName: string): string | undefined {
    for (const [name, output] of Object.entries(section(this.#stack.template, 'Outputs'))) {
      if (!isObject(output) || !isObject(output.Export) || output.Export.Name === undefined) continue;
      const where: Where = { stack: this.#stack.name, logicalId: 'Outputs', property: name };
      if (evaluate(output.Export.Name, this, where) === exportName) return name;
    }
    return undefined;
  }

  /** The value of a parameter of Systems Manager, if this stack makes it. */
  stored(parameterName: string): Json | undefined {
    for (const [logicalId, resource] of Object.entries(section(this.#stack.template, 'Resources'))) {
      if (!isObject(resource) || resource.Type !== 'AWS::SSM::Parameter') continue;
      const where: Where = { stack: this.#stack.name, logicalId };
      if (this.#identity(logicalId, where).ref !== parameterName || !this.#created(logicalId)) continue;
      return this.#identity(logicalId, where).attributes.Value;
    }
    return undefined;
  }

  ref(name: string, where: Where): Json | undefined {
    if (name === 'AWS::NoValue') return undefined;
    const pseudo = pseudoParameter(name, this.#stack.name);
    if (pseudo !== undefined) return pseudo;
    const parameter = section(this.#stack.template, 'Parameters')[name];
    if (isObject(parameter)) {
      if (parameter.Default === undefined) {
        throw new TemplateError(where, `the parameter ${name} has no default value`);
      }
      const isStored = String(parameter.Type).startsWith('AWS::SSM::Parameter::Value<');
      return isStored ? this.#storedValue(String(parameter.Default), where) : parameter.Default;
    }
    return this.#identity(name, where).ref;
  }

  attribute(logicalId: string, attribute: string, where: Where): Json {
    const value = this.#identity(logicalId, where).attributes[attribute];
    if (value !== undefined) return value;
    throw new TemplateError(where, `the attribute ${attribute} of ${logicalId} is not known here`);
  }

  importValue(exportName: string, where: Where): Json {
    for (const stack of this.#all.values()) {
      const output = stack.exporting(exportName);
      const value = output === undefined ? undefined : stack.output(output);
      if (value !== undefined) return value;
    }
    throw new TemplateError(where, `no stack exports ${exportName}`);
  }

  stackOutput(stackName: string, output: string, where: Where): Json {
    const value = this.#all.get(stackName)?.output(output);
    if (value !== undefined) return value;
    throw new TemplateError(where, `the stack ${stackName} has no output ${output}`);
  }

  /** What a parameter of Systems Manager holds, which some stack makes. */
  #storedValue(name: string, where: Where): Json {
    for (const stack of this.#all.values()) {
      const value = stack.stored(name);
      if (value !== undefined) return value;
    }
    throw new TemplateError(where, `no stack makes the parameter ${name} of Systems Manager`);
  }

  condition(name: string, where: Where): boolean {
    const condition = section(this.#stack.template, 'Conditions')[name];
    if (condition === undefined) throw new TemplateError(where, `the condition ${name} does not exist`);
    return evaluateCondition(condition, this, {
      stack: this.#stack.name,
      logicalId: 'Conditions',
      property: name,
    });
  }

  mapping(map: string, first: string, second: string): Json | undefined {
    const top = section(section(this.#stack.template, 'Mappings'), map)[first];
    return isObject(top) ? top[second] : undefined;
  }

  dynamic(reference: string, where: Where): string {
    // secretsmanager:<secret id, maybe an ARN with colons>:SecretString:<json key>:<version stage>:<version id>
    const found = /^secretsmanager:(.+?)(?::SecretString(?::([^:]*))?(?::[^:]*)?(?::[^:]*)?)?$/.exec(
      reference,
    );
    if (!found?.[1])
      throw new TemplateError(where, `the reference {{resolve:${reference}}} is not known here`);
    return this.#options.secret(found[1], found[2] || undefined);
  }

  #created(logicalId: string): boolean {
    const resource = section(this.#stack.template, 'Resources')[logicalId];
    if (!isObject(resource) || typeof resource.Condition !== 'string') return true;
    return this.condition(resource.Condition, { stack: this.#stack.name, logicalId });
  }

  #resource(logicalId: string, where: Where): JsonObject {
    const resource = section(this.#stack.template, 'Resources')[logicalId];
    if (!isObject(resource)) throw new TemplateError(where, `there is no resource or parameter ${logicalId}`);
    return resource;
  }

  #identity(logicalId: string, where: Where): Identity {
    const known = this.#identities.get(logicalId);
    if (known === 'open') throw new TemplateError(where, `the name of ${logicalId} depends on itself`);
    if (known) return known;
    const resource = this.#resource(logicalId, where);
    const type = asString(resource.Type, where);
    const own: Where = { stack: this.#stack.name, logicalId };
    const properties = isObject(resource.Properties) ? resource.Properties : {};
    this.#identities.set(logicalId, 'open');
    const identity = identify({
      ...own,
      type,
      frontUrl: this.#options.frontUrl,
      property: (name) => {
        const value = properties[name];
        const place = { ...own, property: name };
        const result = value === undefined ? undefined : evaluate(value, this, place);
        return result === undefined ? undefined : asString(result, place);
      },
    });
    if (!identity) {
      const known = KNOWN_TYPES.join(', ');
      throw new TemplateError(
        own,
        `the local cloud does not know the resource type ${type} (it knows ${known})`,
      );
    }
    this.#identities.set(logicalId, identity);
    return identity;
  }
}

function lazyResource(
  where: Where,
  resource: JsonObject,
  ref: string,
  attributes: Record<string, string>,
  scope: Scope,
): Resource {
  let properties: JsonObject | undefined;
  return {
    stack: where.stack,
    logicalId: where.logicalId,
    type: asString(resource.Type, where),
    ref,
    attributes,
    get properties() {
      if (properties) return properties;
      const value = evaluate(resource.Properties ?? {}, scope, where);
      properties = isObject(value) ? value : {};
      return properties;
    },
  };
}
