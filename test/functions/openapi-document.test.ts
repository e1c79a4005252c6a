import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { type Endpoint, endpoint, NOTHING } from '../../functions/endpoint.ts';
import { type OpenApi, openApi } from '../../functions/openapi/document.ts';
import { paramsSchema, type Schema } from '../../functions/openapi/json-schema.ts';
import { page } from '../../functions/openapi/page.ts';
import { flag, optionalForm, requiredText } from '../../lib/http/fields.ts';

const PLAIN = {
  method: 'POST',
  path: 'things',
  summary: 'Makes a thing',
  by: 'app',
  params: v.object({}),
  answer: NOTHING,
} as const;

/** The document of one endpoint. */
function documentOf(more: Partial<Endpoint>): OpenApi {
  const made = endpoint({ ...PLAIN, ...more } as Endpoint);
  return openApi(
    { thing: { name: 'Things', about: 'About things', endpoints: { make: made } } },
    'https://peal.example',
  );
}

const bodyIn = ({ components }: OpenApi) => components.schemas.ThingMakeBody!;
const operationIn = ({ paths }: OpenApi, path = '/1/things.json') => Object.values(paths[path]!)[0]!;
const properties = (entries: v.ObjectEntries) => paramsSchema(v.object(entries)).properties;

test('a file is a part of the multipart form alone, with its limit in bytes', () => {
  const files = { sound: { description: 'An MP3', maxBytes: 1000 } };

  const { content } = operationIn(documentOf({ files, params: v.object({ name: requiredText(5) }) }))
    .requestBody!;

  const [body, more] = content['multipart/form-data']!.schema.allOf as Schema[];
  assert.deepEqual(Object.keys(content), [
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json',
  ]);
  assert.deepEqual(body, content['application/json']!.schema);
  assert.deepEqual(Object.keys(more?.properties ?? {}), ['sound']);
  assert.match(JSON.stringify(more), /"maxLength":1000/);
});

test('an older path is a deprecated operation of the same, under its own name', () => {
  const document = documentOf({ path: 'a/{id}/remove', aliases: ['a/{id}/old_delete'] });

  const [now, old] = ['remove', 'old_delete'].map((last) => operationIn(document, `/1/a/{id}/${last}.json`));

  assert.equal(now?.deprecated, undefined);
  assert.deepEqual(
    { ...old, deprecated: undefined },
    { ...now, operationId: 'thingOldDelete', deprecated: undefined },
  );
  assert.equal(old?.deprecated, true);
});

test('errors by field, statuses of its own and the want of a credential are said', () => {
  const { responses, security } = operationIn(
    documentOf({ by: 'nobody', errorStyle: 'byField', errors: { 412: 'A second factor is needed' } }),
  );

  assert.deepEqual(responses[400], { $ref: '#/components/responses/RefusedByField' });
  assert.equal((responses[412] as { description: string }).description, 'A second factor is needed');
  assert.deepEqual(security, []);
});

test('the credential may be in a body, and is required of none, since the query may have it', () => {
  const bodies = (['app', 'session', 'nobody'] as const).map((by) => bodyIn(documentOf({ by })));

  assert.deepEqual(
    bodies.map((body) => [Object.keys(body.properties ?? {}), body.required]),
    [
      [['token'], undefined],
      [['secret'], undefined],
      [[], undefined],
    ],
  );
});

test('limits, forms, flags and numbers become what JSON Schema says of them', () => {
  const seconds = v.pipe(
    v.string(),
    v.regex(/^\d+$/),
    v.transform(Number),
    v.minValue(30),
    v.maxValue(60),
    v.description('Seconds'),
  );
  const found = properties({
    name: requiredText(20, 'A name'),
    code: optionalForm(/^[a-z]+$/, 'no'),
    anyCase: optionalForm(/^[a-z]+$/i, 'no'),
    html: flag('1: HTML'),
    seconds: v.optional(seconds, '30'),
    tidy: v.optional(
      v.pipe(
        v.string(),
        v.trim(),
        v.toLowerCase(),
        v.check((text) => text !== 'x'),
      ),
    ),
    level: v.optional(v.pipe(v.picklist(['0', '1']), v.transform(Number)), '0'),
  });

  assert.deepEqual(found, {
    name: { type: 'string', minLength: 1, maxLength: 20, description: 'A name' },
    code: { type: 'string', pattern: '^[a-z]+$' },
    anyCase: { type: 'string' },
    html: { type: ['integer', 'boolean', 'string'], description: '1: HTML' },
    seconds: {
      type: ['integer', 'string'],
      pattern: '^\\d+$',
      minimum: 30,
      maximum: 60,
      default: 30,
      description: 'Seconds',
    },
    tidy: { type: 'string' },
    level: { type: ['integer', 'string'], enum: [0, 1, '0', '1'], default: 0 },
  });
});

test('what must be there is what a schema refuses to do without', () => {
  const { required } = paramsSchema(
    v.object({ must: requiredText(5), may: optionalForm(/x/, 'no'), byDefault: v.optional(v.string(), 'x') }),
  );

  assert.deepEqual(required, ['must']);
});

test('an action that says something which JSON Schema has no word for is not left out in silence', () => {
  assert.throws(() => properties({ it: v.pipe(v.string(), v.graphemes(3)) }), /graphemes/);
});

test('the page shows text, whatever it is, as text', () => {
  const wild = '<script>alert(1)</script>"\'&`<b>`';

  const text = String(
    page(documentOf({ summary: wild, description: wild, params: v.object({ it: requiredText(5, wild) }) })),
  );

  assert.doesNotMatch(text, /<script|<b>alert|<b>`/);
  assert.equal(text.split('&lt;script&gt;alert(1)&lt;/script&gt;').length - 1, 3);
});
