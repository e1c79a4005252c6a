/** Plain JSON as templates hold it, and careful ways to read it. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Whether `value` is a JSON object (no array, no null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a list: CloudFormation takes a single value wherever IAM takes a list. */
export function asList(value: Json | undefined): Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Where in which template something stands, for messages that lead to it. */
export interface Where {
  stack: string;
  /** Logical id of the resource, or the section (for example `Outputs`). */
  logicalId: string;
  /** Path of the property, for example `Environment.Variables.QUEUE`. */
  property?: string;
}

/** A template that the local cloud cannot run as AWS would: names stack, logical id and property. */
export class TemplateError extends Error {
  readonly where: Where;

  constructor(where: Where, problem: string) {
    const property = where.property ? `.${where.property}` : '';
    super(`${where.stack}/${where.logicalId}${property}: ${problem}`);
    this.name = 'TemplateError';
    this.where = where;
  }
}

/** `value` as a string, or a TemplateError that names the place. Numbers and booleans become text, as in CloudFormation. */
export function asString(value: Json | undefined, where: Where): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateError(where, `expected text, got ${JSON.stringify(value)}`);
}

/** `value` as a number (CloudFormation also accepts its text), or a TemplateError that names the place. */
export function asNumber(value: Json | undefined, where: Where): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new TemplateError(where, `expected a number, got ${JSON.stringify(value)}`);
}

/** `value` as an object, or a TemplateError that names the place. */
export function asObject(value: Json | undefined, where: Where): JsonObject {
  if (isObject(value)) return value;
  throw new TemplateError(where, `expected an object, got ${JSON.stringify(value)}`);
}
