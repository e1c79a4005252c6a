import * as v from 'valibot';
import type { ErrorStyle } from '../lib/http/answer.ts';
import { readParams } from '../lib/http/body.ts';
import { type FieldsSchema, readFields } from '../lib/http/fields.ts';
import { requiredFile } from '../lib/http/files.ts';
import type { HttpAnswer, HttpRequest } from '../lib/http/message.ts';
import type { Params } from '../lib/http/params.ts';
import type { HttpApp, HttpHandler } from './http.ts';

/**
 * One endpoint of the API, said once: the function that answers it takes its route and its checks from here, and the
 * OpenAPI document is made of the same.
 */
export interface Endpoint<Schema extends FieldsSchema = FieldsSchema> {
  method: 'GET' | 'POST';
  /** Behind `/1/`, without the `.json` that every path may have; `{name}` is a segment, `{name+}` all that follows. */
  path: string;
  /** Other paths of the same, which older clients ask for. */
  aliases?: readonly string[];
  /** What it does, in a few words: `Adds a user to a group`. */
  summary: string;
  /**
   * Whose credential it takes: an app's `token`, a session's `secret` (or bearer token), the account's that owns what it
   * is about (either of these), or none.
   */
  by: 'app' | 'nobody' | 'owner' | 'session';
  /** What a caller should know besides, in sentences. */
  description?: string;
  /** What the segments of the path are. They are checked by the domain, which finds what they name or does not. */
  segments?: v.ObjectEntries;
  /** Its parameters, but for the credential and the segments of the path. */
  params: Schema;
  /** Parameters that count instead of those, where a request is of another kind. */
  otherwise?: FieldsSchema;
  /** Files of a multipart body. */
  files?: Readonly<Record<string, FileField>>;
  /** What a success has beside `status` and `request`. */
  answer: v.GenericSchema;
  /** Headers of a success that say something of their own. */
  headers?: v.ObjectEntries;
  /** Statuses of refusals other than 400 and 413, and when they are given. */
  errors?: Readonly<Record<number, string>>;
  /** How its refusals say `errors`. */
  errorStyle?: ErrorStyle;
  /** Largest body in bytes; unless told, that of its files and 64 KiB, which no text parameter comes near. */
  maxBytes?: number;
}

/** A file that an endpoint takes. */
export interface FileField {
  description: string;
  /** Largest size in bytes. */
  maxBytes: number;
}

/** A request to an endpoint, as its handler gets it. */
export interface EndpointRequest<Schema extends FieldsSchema> {
  http: HttpRequest;
  params: Params;
  /** The endpoint's parameters, checked. A call, so that a handler can check the credential first. @throws Refusal */
  fields(): v.InferOutput<Schema>;
  /** A file that the endpoint takes. @throws Refusal */
  file(name: string): Uint8Array;
  /** A segment of the path. */
  segment(name: string): string;
}

/** Answers without fields of their own. */
export const NOTHING = v.object({});

const MAX_BYTES = 64 * 1024;

/** An endpoint, with its parameters' types. */
export function endpoint<Schema extends FieldsSchema>(definition: Endpoint<Schema>): Endpoint<Schema> {
  return definition;
}

/** Answers an endpoint's requests. */
export function on<Schema extends FieldsSchema>(
  app: HttpApp,
  {
    method,
    path,
    aliases = [],
    params: schema,
    files = {},
    errorStyle,
    maxBytes = MAX_BYTES + sizeOf(files),
  }: Endpoint<Schema>,
  handle: (request: EndpointRequest<Schema>) => Promise<HttpAnswer>,
): void {
  const answer: HttpHandler = async ({ segments, ...http }) => {
    const params = readParams(http, { maxBytes });
    return handle({
      http,
      params,
      fields: () => readFields(params, schema),
      file: (name) => requiredFile(params, name, files[name]!.maxBytes),
      segment: (name) => (segments[name] ?? '').replace(/\.json$/, ''),
    });
  };
  for (const route of [path, ...aliases].flatMap(routes)) app.on(method, route, answer, errorStyle);
}

/** Bytes of all files of an endpoint. */
const sizeOf = (files: NonNullable<Endpoint['files']>): number =>
  Object.values(files).reduce((sum, { maxBytes }) => sum + maxBytes, 0);

/** The routes of a path: with and without suffix, unless its last segment is a name, which takes the suffix in. */
function routes(path: string): string[] {
  const named = path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/\{(\w+)\+\}$/, ':$1{.+}');
  const route = `/1/${named}`;
  return path.endsWith('}') ? [route] : [`${route}.json`, route];
}
