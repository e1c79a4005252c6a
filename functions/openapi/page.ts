/** The page at `/docs`: the OpenAPI document for people. Made on the server, without a script. */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { Answer, OpenApi, Operation, Parameter } from './document.ts';
import type { Schema } from './json-schema.ts';
import { STYLE } from './style.ts';

type Html = ReturnType<typeof html>;

/** Nothing may be loaded or run but this very style. */
export const PAGE_POLICY: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
};

/** An operation, and where it is. */
interface Place {
  path: string;
  method: string;
  operation: Operation;
}

/** A row of a table: a parameter, or a field of an answer. */
interface Row {
  name: string;
  required: boolean;
  schema: Schema;
}

/** The page of a document. Everything in it is escaped by the template. */
export function page(document: OpenApi): Html {
  const places = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Place => ({ path, method, operation })),
  );
  const of = (tag: string) => places.filter(({ operation }) => operation.tags.includes(tag));
  const origin = document.servers[0]?.url ?? '';
  const { Refused, TooLarge, Failed } = document.components.responses;
  const common = Object.entries({ 400: Refused!, 413: TooLarge!, '5XX': Failed! });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${document.info.title}: API</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<nav aria-label="Endpoints">
<p class="brand"><a href="#top">${document.info.title}</a> <span>API</span></p>
${document.tags.map(
  ({ name }) => html`<p class="area"><a href="#${anchor(name)}">${name}</a></p>
<ul>
${of(name)
  .filter(({ operation }) => !operation.deprecated)
  .map(
    ({ method, path, operation }) =>
      html`<li><a href="#${operation.operationId}"><span class="${method}">${method.toUpperCase()}</span> ${breakable(path.replace(/^\/1\//, '').replace(/\.json$/, ''))}</a></li>
`,
  )}</ul>
`,
)}</nav>
<main id="content">
<header id="top">
<h1>${document.info.title} <span>API</span></h1>
<p class="lead">${document.info.summary}. The API is at <code>${origin}/1/</code>; this page is made of <a href="/1/openapi.json">its OpenAPI document</a>.</p>
${document.info.description.split('\n\n').map(
  (text) => html`<p>${prose(text)}</p>
`,
)}${statuses(common)}</header>
${document.tags.map(
  ({ name, description }) => html`<section>
<h2 id="${anchor(name)}">${name}</h2>
<p>${prose(description)}</p>
${of(name).map((place) => article(place, document, origin))}</section>
`,
)}</main>
</body>
</html>
`;
}

const anchor = (name: string) => name.toLowerCase().replaceAll(/[^a-z]+/g, '-');

function article({ path, method, operation }: Place, document: OpenApi, origin: string): Html {
  const { operationId, summary, description, parameters, requestBody, responses, deprecated } = operation;
  const body = resolve(bodyOf(requestBody), document);
  const alternatives = body?.anyOf?.map((one) => rowsOf(one as Schema));
  const rows = [
    ...parameters.map(({ name, required, ...rest }): Row => ({ name, required, schema: described(rest) })),
    ...(alternatives?.[0] ?? (body ? rowsOf(body) : [])).filter(
      ({ name }) => name !== 'token' && name !== 'secret',
    ),
    ...filesOf(requestBody),
  ].sort((a, b) => Number(b.required) - Number(a.required));
  const success = responses['200'] as Answer;
  const fields = fieldsOf(success.content['application/json'].schema).filter(
    ({ name }) => name !== 'status' && name !== 'request',
  );
  const headers = Object.keys(success.headers ?? {}).filter((name) => name !== 'X-Request-Id');
  const own = Object.entries(responses).filter(
    (entry): entry is [string, Answer] => entry[0] !== '200' && !('$ref' in entry[1]),
  );
  return html`<article id="${operationId}">
<h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${breakable(path)}</code>${deprecated ? html` <span class="old">older name</span>` : ''}</h3>
<p class="summary">${summary}.${description === undefined ? '' : html` ${prose(description)}`}</p>
<p class="credential">${credential(operation)}</p>
${rows.length > 0 ? table('Parameters', rows, alternatives?.[1]) : ''}
${
  fields.length > 0
    ? table('Answer', fields)
    : html`<h4>Answer</h4>
<p class="plain"><code>status</code> and <code>request</code> alone.</p>`
}
${headers.length > 0 ? html`<p class="plain">With the headers ${headers.map((name, at) => html`${at === 0 ? '' : ', '}<code>${name}</code>`)}.</p>` : ''}
${statuses(own)}
<h4>Example</h4>
<pre tabindex="0"><code>${curl({ path, method, operation }, rows, origin)}</code></pre>
</article>
`;
}

/** What the statuses of refusals mean. */
function statuses(answers: [status: string, answer: Answer][]): Html | string {
  if (answers.length === 0) return '';
  return html`<dl class="statuses">
${answers.map(
  ([status, { description }]) => html`<div><dt>${status}</dt><dd>${prose(description)}</dd></div>
`,
)}</dl>`;
}

/** @param otherwise rows of another kind of request, whose limits differ */
function table(heading: string, rows: Row[], otherwise: Row[] = []): Html {
  return html`<h4>${heading}</h4>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">About</th></tr></thead>
<tbody>
${rows.map(({ name, required, schema }) => {
  const isAnswer = heading === 'Answer';
  const marked = required === isAnswer ? '' : isAnswer ? html` <i>not always</i>` : html` <b>required</b>`;
  const other = otherwise.find((row) => row.name === name)?.schema.maxLength;
  const encrypted =
    other !== undefined && other !== schema.maxLength ? `; ${other.toLocaleString('en')} encrypted` : '';
  return html`<tr><th scope="row"><code>${breakable(name)}</code>${marked}</th><td>${typeOf(schema)}<small class="${hasForm(schema) ? 'form' : ''}">${limitsOf(schema)}${encrypted}</small></td><td>${schema.description === undefined ? '' : prose(schema.description)}</td></tr>
`;
})}</tbody>
</table>`;
}

function credential({ security }: Operation): Html | string {
  const names = security.flatMap((one) => Object.keys(one));
  if (names.includes('token') && names.includes('bearer')) {
    return html`Takes the <code>token</code> of an app of the account, or the <code>secret</code> of a session of it, or <code>Authorization: Bearer …</code>.`;
  }
  if (names.includes('token')) return html`Takes the <code>token</code> of an app.`;
  if (names.includes('bearer')) {
    return html`Takes the <code>secret</code> of a session, or <code>Authorization: Bearer …</code>.`;
  }
  return 'Takes no credential.';
}

/** A request that can be pasted into a shell, once its values are filled in. */
function curl({ path, method, operation }: Place, rows: Row[], origin: string): string {
  const names = operation.security.flatMap((one) => Object.keys(one));
  const inPath = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
  const url = `${origin}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`)}`;
  const values = rows
    .filter(({ name, required }) => required && !inPath.includes(name))
    .map(({ name }) =>
      name === 'message' && path.endsWith('/messages.json')
        ? 'message=Hello'
        : `${name}=$${name.toUpperCase()}`,
    );
  const headers =
    names.includes('bearer') && !names.includes('token') ? ['-H "Authorization: Bearer $SECRET"'] : [];
  const given = [...(names.includes('token') ? ['token=$TOKEN'] : []), ...values];
  const data = given.map((one) => `--data-urlencode "${one}"`);
  const verb =
    method === 'get' && data.length > 0 ? ['-G'] : method === 'post' && data.length === 0 ? ['-X POST'] : [];
  return [`curl ${[...verb, `"${url}"`].join(' ')}`, ...headers, ...data].join(' \\\n  ');
}

function bodyOf(body: Operation['requestBody']): Schema | undefined {
  return body?.content['application/json']?.schema;
}

/** The files of a multipart body. */
function filesOf(body: Operation['requestBody']): Row[] {
  const [, files] = body?.content['multipart/form-data']?.schema.allOf ?? [];
  return files ? rowsOf(files as Schema) : [];
}

function resolve(schema: Schema | undefined, { components }: OpenApi): Schema | undefined {
  return schema?.$ref === undefined ? schema : components.schemas[nameIn(schema.$ref)];
}

const nameIn = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1);

function rowsOf({ properties = {}, required = [] }: Schema): Row[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    required: required.includes(name),
    schema: schema as Schema,
  }));
}

/** The fields of an answer, those within others under their whole names; of alternatives all. */
function fieldsOf(schema: Schema, prefix = ''): Row[] {
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? [])] as Schema[];
  const own = rowsOf(schema).flatMap(({ name, required, schema: field }): Row[] => {
    const whole = `${prefix}${name}`;
    const inner = field.type === 'array' ? (field.items as Schema) : field;
    const within = fieldsOf(inner, `${whole}${field.type === 'array' ? '[]' : ''}.`);
    return within.length > 0 ? within : [{ name: whole, required, schema: field }];
  });
  const all = [...own, ...parts.flatMap((part) => fieldsOf(part, prefix))];
  return all.filter(({ name }, at) => all.findIndex((row) => row.name === name) === at);
}

function described({ description, schema }: Pick<Parameter, 'description' | 'schema'>): Schema {
  return { ...schema, ...(description !== undefined && { description }) };
}

/** What a value is, in a word or two. */
function typeOf({
  type,
  enum: options,
  const: only,
  contentMediaType,
  items,
  anyOf,
  additionalProperties,
}: Schema): string {
  if (contentMediaType !== undefined) return 'file';
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(type)) return type.includes('boolean') ? 'flag' : 'integer';
  if (options) return typeof options[0] === 'number' ? 'integer' : 'text';
  if (type === 'array') return `list of ${typeOf((items ?? {}) as Schema)}`;
  if (anyOf) return anyOf.map((one) => typeOf(one as Schema)).join(' or ');
  if (type === 'object' && typeof additionalProperties === 'object') return 'object by name';
  return type === 'string' ? 'text' : String(type ?? 'any');
}

/** Whether the limit that is shown is a form: a regular expression. */
function hasForm({ type, pattern, maxLength }: Schema): boolean {
  return type === 'string' && pattern !== undefined && maxLength === undefined;
}

/** Its limits, in words. */
function limitsOf({
  type,
  enum: options,
  minimum,
  maximum,
  maxLength,
  pattern,
  contentMediaType,
  default: byDefault,
}: Schema): string {
  const number = (value: number) => (value >= 10_000_000 ? String(value) : value.toLocaleString('en'));
  const limits: string[] = [];
  if (options) limits.push([...new Set(options.map(String))].join(', '));
  else if (minimum !== undefined && maximum !== undefined)
    limits.push(`${number(minimum)} to ${number(maximum)}`);
  else if (minimum !== undefined && minimum !== 0) limits.push(`at least ${number(minimum)}`);
  else if (maximum !== undefined) limits.push(`at most ${number(maximum)}`);
  if (maxLength !== undefined) {
    limits.push(`at most ${number(maxLength)} ${contentMediaType === undefined ? 'characters' : 'bytes'}`);
  } else if (pattern !== undefined && type === 'string')
    limits.push(pattern.replace(/^\^/, '').replace(/\$$/, ''));
  if (byDefault !== undefined) limits.push(`${String(byDefault)} unless given`);
  return limits.join('; ');
}

/** Text with code between backticks. */
function prose(text: string): Html {
  const parts = text.split('`').map((part, at) => (at % 2 === 0 ? part : html`<code>${part}</code>`));
  return html`${parts}`;
}

/** A path or name that may go on in the next line at each of its joints. */
function breakable(text: string): Html {
  const parts = text.split(/(?<=[/_.])/).map((part, at) => (at === 0 ? part : html`<wbr>${part}`));
  return html`${parts}`;
}
