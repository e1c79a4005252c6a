/** The OpenAPI 3.1 document, made of the endpoints' own declarations. */
import * as v from 'valibot';
import { KEY } from '../../lib/accounts/keys.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Area } from '../endpoints.ts';
import { answerSchema, paramSchema, paramsSchema, type Schema } from './json-schema.ts';

/** A parameter in a path or a query. */
export interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  description?: string;
  schema: Schema;
}

/** What comes back. */
export interface Answer {
  description: string;
  headers?: Record<string, { description?: string; schema: Schema }>;
  content: { 'application/json': { schema: Schema } };
}

/** One method of one path. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  deprecated?: true;
  security: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, Answer | { $ref: string }>;
}

/** The document, as far as we write it. */
export interface OpenApi {
  openapi: '3.1.1';
  info: { title: string; version: string; summary: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: Record<string, Record<string, string>>;
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
  };
}

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';
const JSON_TYPE = 'application/json';

const ABOUT = `Peal answers what Pushover's clients ask, in its words, and some things of its own.

Every path works with and without \`.json\`. Parameters may come in the query, as a form, as a multipart form or as JSON, on POST as on GET; an empty one is as good as none, and unknown ones are not looked at. In JSON, \`true\` says what \`1\` does in a form, a number what its digits do, and a list what its items do, joined by commas. A credential may be a parameter of the body as well as of the query.

A success is \`{"status":1,"request":"…"}\` and what the endpoint adds. A refusal names every parameter at fault as a key, with the reason, and says the same in sentences in \`errors\`. With 5xx, try again after five seconds or more.`;

const TOKEN = { type: 'string', pattern: KEY.source, description: 'Token of the app, `a…`' } as const;
const SECRET = { type: 'string', description: 'Secret of the session; or as a bearer token' } as const;

/** Credentials that are parameters. */
const CREDENTIALS: Readonly<Record<string, Schema>> = { token: TOKEN, secret: SECRET };

/** What a request has to have of credentials: one of the list. */
const SECURITY: Readonly<Record<Endpoint['by'], Operation['security']>> = {
  app: [{ token: [] }],
  nobody: [],
  owner: [{ token: [] }, { bearer: [] }, { secret: [] }],
  session: [{ bearer: [] }, { secret: [] }],
};

const REQUEST_ID = {
  type: 'string',
  format: 'uuid',
  description: 'Id of the request, also in X-Request-Id',
} as const;

const SUCCESS = { status: { const: 1 }, request: REQUEST_ID } as const;

const failure = (errors: Schema): Schema => ({
  type: 'object',
  properties: { status: { const: 0 }, request: REQUEST_ID, errors },
  required: ['status', 'request', 'errors'],
  additionalProperties: { type: 'string', description: 'What is wrong with the parameter of this name' },
});

const sentences: Schema = { type: 'array', items: { type: 'string' } };

const json = (schema: Schema) => ({ [JSON_TYPE]: { schema } }) as Answer['content'];
const refTo = (kind: 'responses' | 'schemas', name: string) => ({ $ref: `#/components/${kind}/${name}` });

/** Statuses that every endpoint may answer with, and what they mean. */
const COMMON_ANSWERS: Readonly<Record<string, Answer>> = {
  Refused: {
    description: 'A parameter is missing or wrong, or what is named is not there',
    content: json(refTo('schemas', 'Failure')),
  },
  RefusedByField: {
    description: 'A parameter is missing or wrong, or what is named is not there',
    content: json(refTo('schemas', 'FailureByField')),
  },
  TooLarge: { description: 'The body is too large', content: json(refTo('schemas', 'Failure')) },
  TooLargeByField: {
    description: 'The body is too large',
    content: json(refTo('schemas', 'FailureByField')),
  },
  Failed: {
    description: 'It could not be done now: try again after five seconds or more',
    content: json(refTo('schemas', 'Failure')),
  },
};

/** The document of some areas. @param origin where the API is asked, without a path */
export function openApi(areas: Readonly<Record<string, Area>>, origin: string): OpenApi {
  const paths: OpenApi['paths'] = {};
  const schemas: Record<string, Schema> = {
    Failure: failure(sentences),
    FailureByField: failure({ type: 'object', additionalProperties: sentences }),
  };
  for (const [key, { name: tag, endpoints }] of Object.entries(areas)) {
    // A module gives its endpoints by the letters of their names. What a path goes on from comes before what it goes on to.
    const order = ({ path }: Endpoint) => path.replaceAll('{', ' ');
    const sorted = Object.entries(endpoints).sort(([, a], [, b]) => (order(a) < order(b) ? -1 : 1));
    for (const [name, endpoint] of sorted) {
      const id = key + capital(name);
      if (endpoint.method === 'POST') schemas[`${capital(id)}Body`] = bodySchema(endpoint);
      const of = (path: string, operationId: string): Operation =>
        operation(endpoint, { path, operationId, tag, id });
      const put = (path: string, made: Operation) => {
        const at = `/1/${path.replace('+}', '}')}.json`;
        paths[at] = { ...paths[at], [endpoint.method.toLowerCase()]: made };
      };
      put(endpoint.path, of(endpoint.path, id));
      for (const alias of endpoint.aliases ?? []) {
        put(alias, { ...of(alias, key + camel(alias.slice(alias.lastIndexOf('/') + 1))), deprecated: true });
      }
    }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Peal', version: '1', summary: 'Push notifications of your own', description: ABOUT },
    servers: [{ url: origin }],
    tags: Object.values(areas).map(({ name, about }) => ({ name, description: about })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'apiKey', in: 'query', name: 'token', description: TOKEN.description },
        secret: { type: 'apiKey', in: 'query', name: 'secret', description: 'Secret of the session' },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'Secret of the session, kept out of addresses',
        },
      },
      schemas,
      responses: COMMON_ANSWERS,
    },
  };
}

interface Naming {
  path: string;
  operationId: string;
  /** The operation's, of which this may be an alias. */
  id: string;
  tag: string;
}

function operation(endpoint: Endpoint, { path, operationId, id, tag }: Naming): Operation {
  const { method, summary, description, by, params, errorStyle = 'list' } = endpoint;
  const suffix = errorStyle === 'byField' ? 'ByField' : '';
  const inQuery = method === 'GET' ? queryParameters(params.entries) : [];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: SECURITY[by],
    parameters: [...pathParameters(path, endpoint.segments ?? {}), ...inQuery],
    ...(method === 'POST' && { requestBody: requestBody(endpoint, refTo('schemas', `${capital(id)}Body`)) }),
    responses: {
      200: success(endpoint),
      400: refTo('responses', `Refused${suffix}`),
      413: refTo('responses', `TooLarge${suffix}`),
      ...Object.fromEntries(
        Object.entries(endpoint.errors ?? {}).map(([status, when]) => [
          status,
          { description: when, content: json(refTo('schemas', `Failure${suffix}`)) },
        ]),
      ),
      '5XX': refTo('responses', 'Failed'),
    },
  };
}

function pathParameters(path: string, segments: v.ObjectEntries): Parameter[] {
  return [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name = '']) =>
    parameter(name, 'path', true, paramSchema((segments[name] ?? v.string()) as v.GenericSchema)),
  );
}

function queryParameters(entries: v.ObjectEntries): Parameter[] {
  const { required = [], properties } = paramsSchema(v.object(entries));
  return Object.entries(properties).map(([name, schema]) =>
    parameter(name, 'query', required.includes(name), schema),
  );
}

function parameter(
  name: string,
  where: Parameter['in'],
  required: boolean,
  { description, ...schema }: Schema,
): Parameter {
  return { name, in: where, required, ...(description !== undefined && { description }), schema };
}

/** A body: the parameters, and the credential, which may be in it or in the query. */
function bodySchema({ by, params, otherwise }: Endpoint): Schema {
  const credential = Object.fromEntries(
    SECURITY[by]
      .flatMap((one) => Object.keys(one))
      .filter((name) => name in CREDENTIALS)
      .map((name) => [name, CREDENTIALS[name]!]),
  );
  const [first, ...more] = [params, ...(otherwise ? [otherwise] : [])].map((one) => {
    const { properties, ...rest } = paramsSchema(one);
    return { ...rest, properties: { ...credential, ...properties } } as Schema;
  });
  return more.length === 0 ? first! : { anyOf: [first!, ...more] };
}

function requestBody({ by, params, files }: Endpoint, schema: Schema): NonNullable<Operation['requestBody']> {
  const binary = Object.entries(files ?? {}).map(([name, { description, maxBytes }]) => [
    name,
    { type: 'string', contentMediaType: 'application/octet-stream', maxLength: maxBytes, description },
  ]);
  const multipart: Schema =
    binary.length === 0
      ? schema
      : { allOf: [schema, { type: 'object', properties: Object.fromEntries(binary) }] };
  return {
    required: by !== 'nobody' && (paramsSchema(params).required ?? []).length > 0,
    content: { [FORM]: { schema }, [MULTIPART]: { schema: multipart }, [JSON_TYPE]: { schema } },
  };
}

function success({ answer, headers = {} }: Endpoint): Answer {
  const own = answerSchema(answer);
  const common: Schema = { type: 'object', properties: SUCCESS, required: ['status', 'request'] };
  const whole: Schema =
    own.type === 'object'
      ? {
          ...own,
          properties: { ...own.properties, ...SUCCESS },
          required: [...(own.required ?? []), 'status', 'request'],
        }
      : { allOf: [own, common] };
  const named = Object.entries(headers).map(([name, schema]) => {
    const { description, ...rest } = answerSchema(schema as v.GenericSchema);
    return [name, { ...(description !== undefined && { description }), schema: rest }];
  });
  return {
    description: 'Done',
    headers: {
      'X-Request-Id': { description: 'Id of the request', schema: { type: 'string', format: 'uuid' } },
      ...Object.fromEntries(named),
    },
    content: json(whole),
  };
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
const camel = (text: string) => text.split('_').map(capital).join('');
