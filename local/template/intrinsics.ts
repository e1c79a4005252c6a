/** CloudFormation's intrinsic functions, evaluated over plain JSON. */
import { isObject, type Json, type JsonObject, TemplateError, type Where } from './json.ts';

/** What an expression may reach: answered by the model of all stacks. Each may throw a TemplateError. */
export interface Scope {
  /** A resource, parameter or pseudo parameter; undefined for `AWS::NoValue`. */
  ref(name: string, where: Where): Json | undefined;
  attribute(logicalId: string, attribute: string, where: Where): Json;
  /** `Fn::ImportValue`: an export of any stack. */
  importValue(exportName: string, where: Where): Json;
  /** `Fn::GetStackOutput`: a plain output of any stack, by default in the same region. */
  stackOutput(stack: string, output: string, where: Where, region?: string): Json;
  condition(name: string, where: Where): boolean;
  mapping(map: string, first: string, second: string, where: Where): Json | undefined;
  /** A `{{resolve:…}}` reference without its braces, for example `secretsmanager:arn…:SecretString:key::`. */
  dynamic(reference: string, where: Where): string;
}

type Intrinsic = (argument: Json, scope: Scope, where: Where) => Json | undefined;

const INTRINSICS: Record<string, Intrinsic> = {
  Ref: (argument, scope, where) => scope.ref(text(argument, where), where),
  'Fn::GetAtt': getAtt,
  'Fn::Join': join,
  'Fn::Sub': substitute,
  'Fn::Select': select,
  'Fn::Split': split,
  'Fn::If': conditional,
  'Fn::ImportValue': (argument, scope, where) =>
    scope.importValue(text(evaluate(argument, scope, where), where), where),
  'Fn::GetStackOutput': stackOutput,
  'Fn::FindInMap': findInMap,
  'Fn::Base64': (argument, scope, where) =>
    Buffer.from(text(evaluate(argument, scope, where), where)).toString('base64'),
};

/**
 * Evaluates every intrinsic in `value`.
 *
 * @returns the value, or undefined for `AWS::NoValue` (whoever holds it leaves it out)
 * @throws TemplateError that names the place for a function or name that is not known
 */
export function evaluate(value: Json, scope: Scope, where: Where): Json | undefined {
  if (typeof value === 'string') return resolveDynamic(value, scope, where);
  if (Array.isArray(value)) {
    return value
      .map((item, index) => evaluate(item, scope, within(where, String(index))))
      .filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const [name] = keys;
  if (keys.length === 1 && name !== undefined && (name === 'Ref' || name.startsWith('Fn::'))) {
    const intrinsic = INTRINSICS[name];
    if (!intrinsic) throw new TemplateError(where, `the function ${name} is not known here`);
    const result = intrinsic(value[name] as Json, scope, where);
    return typeof result === 'string' ? resolveDynamic(result, scope, where) : result;
  }
  const result: JsonObject = {};
  for (const key of keys) {
    const item = evaluate(value[key] as Json, scope, within(where, key));
    if (item !== undefined) result[key] = item;
  }
  return result;
}

/** Evaluates a condition of the `Conditions` section. */
export function evaluateCondition(value: Json, scope: Scope, where: Where): boolean {
  if (isObject(value)) {
    const [[name, argument] = ['', null]] = Object.entries(value);
    if (name === 'Condition') return scope.condition(text(argument, where), where);
    const parts = Array.isArray(argument) ? argument : [];
    const each = (part: Json): boolean => evaluateCondition(part, scope, where);
    if (name === 'Fn::And') return parts.every(each);
    if (name === 'Fn::Or') return parts.some(each);
    if (name === 'Fn::Not' && parts[0] !== undefined) return !each(parts[0]);
    if (name === 'Fn::Equals' && parts.length === 2) {
      const [left, right] = parts.map((part) => evaluate(part, scope, where));
      return JSON.stringify(left) === JSON.stringify(right);
    }
  }
  throw new TemplateError(where, `the condition ${JSON.stringify(value)} is not known here`);
}

function within(where: Where, key: string): Where {
  return { ...where, property: where.property ? `${where.property}.${key}` : key };
}

function text(value: Json | undefined, where: Where): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateError(where, `expected text, got ${JSON.stringify(value)}`);
}

function list(value: Json | undefined, where: Where, what: string): Json[] {
  if (Array.isArray(value)) return value;
  throw new TemplateError(where, `${what} takes a list, got ${JSON.stringify(value)}`);
}

function getAtt(argument: Json, scope: Scope, where: Where): Json {
  const path = typeof argument === 'string' ? argument.split('.') : list(argument, where, 'Fn::GetAtt');
  const [logicalId, ...attribute] = path.map((part) => text(evaluate(part, scope, where), where));
  if (logicalId === undefined) throw new TemplateError(where, 'Fn::GetAtt names no resource');
  return scope.attribute(logicalId, attribute.join('.'), where);
}

function join(argument: Json, scope: Scope, where: Where): Json {
  const [delimiter, items] = list(argument, where, 'Fn::Join');
  const parts = list(evaluate(items ?? null, scope, where), where, 'Fn::Join');
  return parts.map((part) => text(part, where)).join(text(delimiter, where));
}

function substitute(argument: Json, scope: Scope, where: Where): Json {
  const [pattern, own] = Array.isArray(argument) ? argument : [argument];
  const variables = isObject(own) ? own : {};
  return text(pattern, where).replace(/\$\{([^}]*)\}/g, (_match, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    const variable = variables[name];
    if (variable !== undefined) return text(evaluate(variable, scope, where), where);
    const dot = name.indexOf('.');
    const value =
      dot < 0 ? scope.ref(name, where) : scope.attribute(name.slice(0, dot), name.slice(dot + 1), where);
    return text(value, where);
  });
}

function select(argument: Json, scope: Scope, where: Where): Json {
  const [index, items] = list(argument, where, 'Fn::Select');
  const at = Number(text(evaluate(index ?? null, scope, where), where));
  const item = list(evaluate(items ?? null, scope, where), where, 'Fn::Select')[at];
  if (item === undefined) throw new TemplateError(where, `Fn::Select finds nothing at ${at}`);
  return item;
}

function split(argument: Json, scope: Scope, where: Where): Json {
  const [delimiter, source] = list(argument, where, 'Fn::Split');
  return text(evaluate(source ?? null, scope, where), where).split(text(delimiter, where));
}

function conditional(argument: Json, scope: Scope, where: Where): Json | undefined {
  const [name, yes, no] = list(argument, where, 'Fn::If');
  const chosen = scope.condition(text(name, where), where) ? yes : no;
  if (chosen === undefined) throw new TemplateError(where, 'Fn::If takes a condition and two values');
  return evaluate(chosen, scope, where);
}

function stackOutput(argument: Json, scope: Scope, where: Where): Json {
  const options = evaluate(argument, scope, where);
  if (!isObject(options)) throw new TemplateError(where, 'Fn::GetStackOutput takes an object');
  const [stack, output] = [text(options.StackName, where), text(options.OutputName, where)];
  const region = options.Region === undefined ? undefined : text(options.Region, where);
  return scope.stackOutput(stack, output, where, region);
}

function findInMap(argument: Json, scope: Scope, where: Where): Json {
  const [map, first, second, fallback] = list(argument, where, 'Fn::FindInMap');
  const [name, top, key] = [map, first, second].map((part) =>
    text(evaluate(part ?? null, scope, where), where),
  ) as [string, string, string];
  const found = scope.mapping(name, top, key, where);
  if (found !== undefined) return found;
  if (isObject(fallback) && fallback.DefaultValue !== undefined) {
    const value = evaluate(fallback.DefaultValue, scope, where);
    if (value !== undefined) return value;
  }
  throw new TemplateError(where, `the mapping ${name}.${top}.${key} does not exist`);
}

function resolveDynamic(value: string, scope: Scope, where: Where): string {
  if (!value.includes('{{resolve:')) return value;
  return value.replace(/\{\{resolve:([^}]*)\}\}/g, (_match, reference: string) =>
    scope.dynamic(reference, where),
  );
}
