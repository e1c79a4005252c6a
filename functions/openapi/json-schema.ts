/** From the schemas that check parameters and describe answers to JSON Schema (2020-12), which OpenAPI 3.1 is made of. */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import type { FieldsSchema } from '../../lib/http/fields.ts';

/** A schema of the document. */
export type Schema = JsonSchema;

/** What only code can decide: the words of a refusal say it, JSON Schema cannot. */
const ONLY_CODE = ['check', 'check_items', 'every_item', 'max_bytes', 'partial_check', 'raw_check'];

/** What changes a text, but not which texts are taken. */
const TIDYING = ['normalize', 'to_lower_case', 'to_upper_case', 'trim', 'trim_end', 'trim_start'];

/** The schema of an answer. */
export function answerSchema(schema: v.GenericSchema): Schema {
  return convert(schema, 'output');
}

/** The schema of a segment of a path, or of one parameter. A parameter is a text, or the JSON that says the same. */
export function paramSchema(schema: v.GenericSchema): Schema {
  const { flag } = v.getMetadata(schema);
  const { default: byDefault, ...json } = convert(schema, 'input');
  const about = descriptionOf(schema);
  if (flag === 'on') return { ...about, enum: [1, true, '1', 'true'] };
  if (flag === true) return { ...about, type: ['integer', 'boolean', 'string'] };
  const number = asNumber(schema, json);
  return {
    ...json,
    ...about,
    ...(isRequired(schema) && json.type === 'string' && { minLength: json.minLength ?? 1 }),
    ...number,
    ...(byDefault !== undefined &&
      byDefault !== '' && { default: number.type ? Number(byDefault) : byDefault }),
  };
}

/** The schema of parameters together, each of which an endpoint names. Others are not looked at. */
export function paramsSchema({ entries }: FieldsSchema): Schema & { properties: Record<string, Schema> } {
  const required = Object.keys(entries).filter((name) => isRequired(entries[name]!));
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(entries).map(([name, schema]) => [name, paramSchema(schema as v.GenericSchema)]),
    ),
    ...(required.length > 0 && { required }),
  };
}

/** Whether a parameter must be there: its schema says so, or refuses to do without it. */
export function isRequired(schema: v.ObjectEntries[string]): boolean {
  const generic = schema as v.GenericSchema;
  if (v.getMetadata(generic).demanded === true) return true;
  const alone = v.object({ it: generic });
  return !v.safeParse(alone, {}).success;
}

function convert(schema: v.GenericSchema, typeMode: 'input' | 'output'): Schema {
  const { $schema: _, ...json } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode,
    ignoreActions: ['metadata'],
    overrideAction: ({ valibotAction, jsonSchema }) =>
      override(valibotAction as unknown as PipeItem, jsonSchema),
  });
  return json;
}

/** What is made of an action that conversion does not know, or takes for something else; undefined: leave it to it. */
function override({ type, requirement }: PipeItem, json: Schema): Schema | undefined {
  // Both count code points.
  if (type === 'max_code_points') return { ...json, maxLength: Number(requirement) };
  if (type === 'min_code_points') return { ...json, minLength: Number(requirement) };
  if (type === 'description' && json.description === '') {
    const { description: _, ...rest } = json;
    return rest;
  }
  // JSON Schema's patterns are Unicode patterns, and have no other flags.
  if (type === 'regex' && requirement instanceof RegExp && requirement.flags !== '') {
    const { pattern: _, ...rest } = json;
    return /^[uv]$/.test(requirement.flags) ? json : rest;
  }
  return ONLY_CODE.includes(type) || TIDYING.includes(type) ? json : undefined;
}

/**
 * A text that is turned into a number may come as a number in JSON: its bounds are those that are checked behind the
 * transformation, which conversion leaves out.
 */
function asNumber(schema: v.GenericSchema, json: Schema): Schema {
  const items = flatten(schema);
  const behind = items.slice(items.findIndex(({ type }) => type === 'transform') + 1);
  const bounds = (type: string) =>
    behind.filter((item) => item.type === type).map(({ requirement }) => Number(requirement));
  const [least, most] = [bounds('min_value'), bounds('max_value')];
  if (json.enum?.every((option) => typeof option === 'string' && String(Number(option)) === option)) {
    const { type: _, ...rest } = json;
    return { ...rest, type: ['integer', 'string'], enum: [...json.enum.map(Number), ...json.enum] };
  }
  if (behind.length === items.length || least.length + most.length === 0) return {};
  return {
    type: ['integer', 'string'],
    ...(least.length > 0 && { minimum: Math.max(...least) }),
    ...(most.length > 0 && { maximum: Math.min(...most) }),
  };
}

function descriptionOf(schema: v.GenericSchema): { description?: string } {
  const said =
    v.getDescription(schema) ?? flatten(schema).findLast(({ type }) => type === 'description')?.description;
  return said ? { description: said } : {};
}

interface PipeItem {
  type: string;
  requirement?: unknown;
  description?: string;
}

/** The steps of a schema in their order, those of what it wraps included. */
function flatten(schema: v.GenericSchema): PipeItem[] {
  const { pipe, wrapped } = schema as { pipe?: v.GenericSchema[]; wrapped?: v.GenericSchema };
  if (pipe) return pipe.flatMap((item) => (item === schema ? [] : flatten(item)));
  return wrapped ? flatten(wrapped) : [schema as unknown as PipeItem];
}
