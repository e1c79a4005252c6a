/** Holds what the API answers against its OpenAPI document. */
import assert from 'node:assert/strict';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Answer as DocumentedAnswer, OpenApi, Operation } from '../../functions/openapi/document.ts';
import type { Schema } from '../../functions/openapi/json-schema.ts';
import type { Answer } from './peal.ts';

/** Parameters as they are sent: in JSON as they are, elsewhere as text. */
export type Fields = Record<string, boolean | number | string>;

/** An operation of the document, found by its method and path: `POST /1/messages.json`. */
export class Contract {
  readonly document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  readonly #compiled = new Map<unknown, ValidateFunction>();

  constructor(document: OpenApi) {
    this.document = document;
    // The two packages' types of a default export differ from what Node gives.
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
  }

  /** All of them. */
  operations(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  operation(name: string): Operation {
    const [method = '', path = ''] = name.split(' ');
    return this.document.paths[path]?.[method.toLowerCase()] ?? assert.fail(`the document has no ${name}`);
  }

  /** What is wrong with parameters; empty: nothing. */
  faults(name: string, fields: Fields): string[] {
    const { parameters, requestBody } = this.operation(name);
    if (requestBody)
      return this.#errors(this.resolve(requestBody.content['application/json']!.schema), fields);
    const inQuery = parameters.filter((one) => one.in === 'query');
    const missing = inQuery.filter((one) => one.required && fields[one.name] === undefined);
    return [
      ...missing.map((one) => `${one.name} is missing`),
      ...inQuery
        .filter((one) => fields[one.name] !== undefined)
        .flatMap((one) => this.#errors(one.schema, fields[one.name])),
    ];
  }

  /** The schemas of an operation's parameters, but for those of the path. */
  parameters(name: string): Record<string, Schema> {
    const { parameters, requestBody } = this.operation(name);
    const body = requestBody && this.resolve(requestBody.content['application/json']!.schema);
    const first = (body?.anyOf?.[0] as Schema | undefined) ?? body;
    const inQuery = parameters.filter((one) => one.in === 'query');
    return {
      ...Object.fromEntries(inQuery.map((one) => [one.name, one.schema])),
      ...(first?.properties as Record<string, Schema> | undefined),
    };
  }

  /** Fails unless an answer is one that the document has: its status, every field of its body, its headers. */
  hold(name: string, { status, headers, body }: Answer): void {
    const { responses } = this.operation(name);
    const found = responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
    assert.ok(found, `${name} answered ${status}, which is not documented: ${JSON.stringify(body)}`);
    const answer = this.answer(found);
    const errors = this.#errors(this.resolve(answer.content['application/json'].schema), body, true);
    assert.deepEqual(errors, [], `${name} ${status}: ${JSON.stringify(body)}`);
    for (const [header, { schema }] of Object.entries(answer.headers ?? {})) {
      const text = headers.get(header);
      const value = schema.type === 'integer' ? Number(text) : text;
      assert.deepEqual(this.#errors(schema, value), [], `${name}: ${header}: ${text}`);
    }
  }

  /** Compiles every schema that there is: strict, so that an unknown keyword is an error. */
  compileAll(): number {
    const { schemas } = this.document.components;
    for (const schema of Object.values(schemas)) this.#compile(schema, false);
    for (const name of this.operations()) {
      const { parameters, requestBody, responses } = this.operation(name);
      for (const { schema } of parameters) this.#compile(schema, false);
      for (const { schema } of Object.values(requestBody?.content ?? {}))
        this.#compile(this.#deep(schema), false);
      for (const response of Object.values(responses)) {
        this.#compile(this.resolve(this.answer(response).content['application/json'].schema), true);
      }
    }
    return this.#compiled.size;
  }

  answer(found: DocumentedAnswer | { $ref: string }): DocumentedAnswer {
    if (!('$ref' in found)) return found;
    return this.document.components.responses[nameIn(found.$ref)] ?? assert.fail(`there is no ${found.$ref}`);
  }

  resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    return this.document.components.schemas[nameIn(schema.$ref)] ?? assert.fail(`there is no ${schema.$ref}`);
  }

  #deep(schema: Schema): Schema {
    const resolved = this.resolve(schema);
    return resolved.allOf
      ? { ...resolved, allOf: resolved.allOf.map((one) => this.resolve(one as Schema)) }
      : resolved;
  }

  /** @param closed whether fields that the schema does not name are errors */
  #errors(schema: Schema, value: unknown, closed = false): string[] {
    const validate = this.#compile(schema, closed);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #compile(schema: Schema, closed: boolean): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known) return known;
    const compiled = this.#ajv.compile((closed ? close(schema) : schema) as AnySchemaObject);
    this.#compiled.set(schema, compiled);
    return compiled;
  }
}

const nameIn = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1);

/**
 * An answer may get more fields one day, so the document leaves its objects open. What is answered today must all be
 * in it, so here they are closed.
 */
function close(schema: Schema): Schema {
  const inner = (one: unknown) => close(one as Schema);
  return {
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, one]) => [name, inner(one)]),
      ),
    }),
    ...(schema.items && { items: inner(schema.items) }),
    ...(schema.anyOf && { anyOf: schema.anyOf.map(inner) }),
    ...((schema.properties || schema.allOf) &&
      schema.additionalProperties === undefined && { unevaluatedProperties: false }),
  } as Schema;
}
