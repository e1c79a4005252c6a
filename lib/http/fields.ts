import * as v from 'valibot';
import { type Fault, Refusal } from '../refusal.ts';
import type { Params } from './params.ts';

/**
 * What a schema of parameters is: an object of texts, each of which it may turn into something else. A parameter whose
 * schema takes structure (see {@link structure}) may also come as an object of a JSON body.
 */
export type FieldsSchema = v.ObjectSchema<v.ObjectEntries, undefined>;

/** Parameters that were checked: what the schema made of them, or everything that is wrong with them. */
export type Checked<Schema extends FieldsSchema> = { faults: Fault[]; fields?: v.InferOutput<Schema> };

/**
 * Checks the parameters that a schema names; others are not looked at, since senders send more than they must. All
 * faults are reported at once, one a parameter. The reason of a fault is the message of the schema's action: the end
 * of a sentence that begins with the parameter's name.
 */
export function checkFields<Schema extends FieldsSchema>(params: Params, schema: Schema): Checked<Schema> {
  const given: Record<string, unknown> = params.texts();
  const notText: string[] = [];
  for (const [name, entry] of Object.entries(schema.entries)) {
    if (!params.has(name) || given[name] !== undefined) continue;
    const structured = v.getMetadata(entry as v.GenericSchema).structure === true;
    if (structured && !params.file(name)) given[name] = params.getJson(name);
    else notText.push(name);
  }
  const result = v.safeParse(schema, given, { abortPipeEarly: true });
  const faults: Fault[] = notText.map((field) => ({ field, reason: 'must be text' }));
  for (const issue of result.issues ?? []) {
    const field = String(issue.path?.[0]?.key);
    if (notText.includes(field)) continue;
    const sentence = sentenceFor(schema.entries[field]);
    faults.push({ field, reason: issue.message, ...(sentence !== undefined && { sentence }) });
  }
  return result.success && faults.length === 0 ? { faults, fields: result.output } : { faults };
}

/**
 * The parameters that a schema names, checked.
 *
 * @throws Refusal naming every one that is wrong
 */
export function readFields<Schema extends FieldsSchema>(
  params: Params,
  schema: Schema,
): v.InferOutput<Schema> {
  const { faults, fields } = checkFields(params, schema);
  if (!fields) throw new Refusal(faults);
  return fields;
}

/**
 * A text that must be there. The limit is in characters, a four-byte one counting as one.
 *
 * @param about what it is, for the documentation
 */
export const requiredText = (limit: number, about = '') =>
  v.pipe(
    v.optional(v.string(), ''),
    v.check((text) => text.trim() !== '', 'cannot be blank'),
    limited(limit),
    v.description(about),
  );

/**
 * A text that may be left out. The limit is in characters, a four-byte one counting as one.
 *
 * @param about what it is, for the documentation
 */
export const optionalText = (limit: number, about = '') =>
  v.exactOptional(v.pipe(v.string(), limited(limit), v.description(about)));

/** A text that may be left out and has a form. */
export const optionalForm = (form: RegExp, reason: string, about = '') =>
  v.exactOptional(v.pipe(v.string(), v.regex(form, reason), v.description(about)));

/** A flag: on for `1` and `true`, off for anything else, since senders write `html=false`. */
export const flag = (about = '') =>
  v.pipe(
    v.optional(v.string(), ''),
    v.transform((text) => text === '1' || text.toLowerCase() === 'true'),
    v.metadata({ flag: true }),
    v.description(about),
  );

/** Says that a parameter must be there where the schema leaves that to the domain, whose own words the refusal has. */
export const demanded = <Input>() => v.metadata<Input, { demanded: true }>({ demanded: true });

/** What `errors` says of a parameter, where that is more than its name and the reason. */
export const sentence = <Input>(text: string) => v.metadata<Input, { sentence: string }>({ sentence: text });

function sentenceFor(schema: v.GenericSchema | undefined): string | undefined {
  const said = schema && v.getMetadata(schema).sentence;
  return typeof said === 'string' ? said : undefined;
}

/**
 * A parameter with structure that may be left out: an object of a JSON body, or in a form the text of one.
 *
 * @param reason what is wrong with anything else; where in the object is added
 */
export const structure = <Output>(schema: v.GenericSchema<unknown, Output>, reason: string) =>
  v.pipe(
    v.optional(v.union([v.string(), v.looseObject({})], reason)),
    v.rawTransform(({ dataset, addIssue, NEVER }): Output | undefined => {
      if (dataset.value === undefined) return undefined;
      const result = v.safeParse(
        v.union([v.pipe(v.string(), v.parseJson()), v.looseObject({})]),
        dataset.value,
      );
      const parsed = v.safeParse(schema, result.output);
      if (parsed.success) return parsed.output;
      const at = result.success && v.getDotPath(parsed.issues[0]);
      addIssue({ message: at ? `${reason} (see ${at})` : reason });
      return NEVER;
    }),
    v.metadata({ structure: true }),
  );

function limited(limit: number) {
  return v.maxCodePoints<string, number, string>(limit, `is too long (maximum is ${limit} characters)`);
}
