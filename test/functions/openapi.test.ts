import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { AREAS } from '../../functions/endpoints.ts';
import type { OpenApi } from '../../functions/openapi/document.ts';
import type { Schema } from '../../functions/openapi/json-schema.ts';
import { createKeyPair, e2eeKey, sealE2ee } from '../../lib/device/index.ts';
import { ofType } from '../cdk/templates.ts';
import { Contract, type Fields } from '../support/contract.ts';
import { newDevice } from '../support/devices.ts';
import { imageOf } from '../support/images.ts';
import { type Answer, newAccount, request, usePeal } from '../support/peal.ts';
import { codeOf } from '../support/totp.ts';

const peal = usePeal();

/** What the story has found out so far: keys, tokens, ids. */
type World = Record<string, string>;

/** One request of the story, and what it must say. */
interface Step {
  /** As the document has it: `POST /1/groups/{group}/rename.json`. Segments are filled in from the world. */
  operation: string;
  fields?: (world: World) => Fields;
  /** Parts of a multipart form, for an endpoint that takes files. */
  files?: Record<string, Blob>;
  /** Whose secret, by its name in the world. */
  secret?: string;
  /** Segments of the path whose names mean something else in the world. */
  at?: Record<string, string>;
  /** What later steps need, by its name in the world: where it is in the answer, as in `messages.-1.id`. */
  keep?: Record<string, string>;
}

const nothing = (): Fields => ({});

const SOMEBODY = { email: 'somebody@example.org', password: 'correct horse' };
const login = ({ email, password }: World): Fields => ({ email: email!, password: password! });

/** A file of our own. */
const asset = (path: string) =>
  new Blob([readFileSync(join(import.meta.dirname, '../../functions/media/assets', path))]);

const EMERGENCY = { priority: 2, retry: 30, expire: 60, tags: 'a/b,c', callback: 'https://example.org/' };

/** Ciphertext of a title that is longer than a plain one may be: of these characters, gzip makes little. */
const title = Array.from({ length: 250 }, (_, n) =>
  String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000)),
).join('');
const sealed = await sealE2ee({ message: 'x', title }, await e2eeKey('1'.repeat(64)));

/**
 * Every endpoint at least once, in an order that works. Whoever adds an endpoint adds a step: one that is missing fails
 * the last test of this file.
 */
const STORY: Step[] = [
  { operation: 'GET /1/sounds.json' },
  { operation: 'GET /1/apps/limits.json' },
  { operation: 'POST /1/users/validate.json', fields: ({ user }) => ({ user: user!, device: 'phone' }) },
  {
    operation: 'POST /1/messages.json',
    fields: ({ user }) => ({
      user: user!,
      message: 'é'.repeat(1024),
      title: 'Title',
      url: 'https://example.org/',
      url_title: 'Link',
      device: 'phone',
      priority: -1,
      sound: 'magic',
      timestamp: 1_700_000_000,
      ttl: 3600,
      html: true,
      idempotency_key: 'once',
    }),
  },
  { operation: 'POST /1/messages.json', fields: ({ user }) => ({ user: user!, ...sealed }) },
  {
    operation: 'POST /1/messages.json',
    fields: ({ user }) => ({ user: user!, message: 'fire', monospace: 1, ...EMERGENCY }),
    keep: { receipt: 'receipt' },
  },
  { operation: 'GET /1/receipts/{receipt}.json' },
  { operation: 'GET /1/receipts/{receipt}/state.json' },
  { operation: 'POST /1/receipts/{receipt}/acknowledge.json', fields: ({ id }) => ({ device_id: id! }) },
  { operation: 'POST /1/receipts/{receipt}/cancel.json' },
  { operation: 'POST /1/receipts/cancel_by_tag/{tag}.json' },
  { operation: 'POST /1/groups.json', fields: () => ({ name: 'Group' }), keep: { group: 'group' } },
  { operation: 'GET /1/groups.json' },
  {
    operation: 'POST /1/groups/{group}/add_user.json',
    fields: ({ user }) => ({ user: user!, device: 'phone', memo: 'on call' }),
  },
  { operation: 'GET /1/groups/{group}.json', fields: () => ({ limit: 5 }) },
  { operation: 'POST /1/groups/{group}/disable_user.json', fields: ({ user }) => ({ user: user! }) },
  {
    operation: 'POST /1/groups/{group}/enable_user.json',
    fields: ({ user }) => ({ user: user!, device: 'phone' }),
  },
  { operation: 'POST /1/groups/{group}/rename.json', fields: () => ({ name: 'Other' }) },
  { operation: 'POST /1/groups/{group}/remove_user.json', fields: ({ user }) => ({ user: user! }) },
  { operation: 'POST /1/groups/{group}/add_user.json', fields: ({ user }) => ({ user: user! }) },
  { operation: 'POST /1/groups/{group}/delete_user.json', fields: ({ user }) => ({ user: user! }) },
  { operation: 'POST /1/groups/{group}/delete.json' },
  {
    operation: 'POST /1/sounds.json',
    fields: () => ({ name: 'gong', description: 'Gong' }),
    files: { sound: asset('sounds/bike.mp3') },
    keep: { name: 'name' },
  },
  { operation: 'GET /1/account/sounds.json' },
  { operation: 'POST /1/sounds/{name}/delete.json' },
  {
    operation: 'POST /1/apps/{id}/icon.json',
    at: { id: 'app' },
    files: { icon: asset('icons/default.png') },
  },
  { operation: 'POST /1/apps/{id}/icon/delete.json', at: { id: 'app' } },
  { operation: 'POST /1/attachments.json' },
  {
    operation: 'POST /1/messages.json',
    fields: ({ user }) => ({
      user: user!,
      device: 'tablet',
      message: 'a picture',
      attachment_base64: Buffer.from(imageOf('image/png', 100)).toString('base64'),
      attachment_type: 'image/png',
    }),
  },
  {
    operation: 'GET /1/messages.json',
    fields: ({ tablet }) => ({ device_id: tablet! }),
    keep: { picture: 'messages.-1.id' },
  },
  {
    operation: 'GET /1/messages/{id}/attachment.json',
    at: { id: 'picture' },
    fields: ({ tablet }) => ({ device_id: tablet! }),
  },
  {
    operation: 'POST /1/messages/{id}/attachment/downloaded.json',
    at: { id: 'picture' },
    fields: ({ tablet }) => ({ device_id: tablet! }),
  },
  { operation: 'GET /1/messages.json', fields: ({ id }) => ({ device_id: id!, after: 0 }) },
  { operation: 'GET /1/messages.json', fields: ({ open }) => ({ device_id: open! }) },
  {
    operation: 'POST /1/devices/{id}/update_highest_message.json',
    at: { id: 'open' },
    fields: () => ({ message: 1 }),
  },
  { operation: 'POST /1/devices/{id}/acknowledge.json', fields: () => ({ messages: '1,2' }) },
  { operation: 'POST /1/users.json', fields: () => ({ ...SOMEBODY, name: 'first' }) },
  { operation: 'POST /1/users/login.json', fields: () => SOMEBODY, keep: { elsewhere: 'secret' } },
  { operation: 'POST /1/users/logout.json', secret: 'elsewhere' },
  { operation: 'POST /1/users/login.json', fields: login, keep: { elsewhere: 'secret' } },
  { operation: 'GET /1/sessions.json', keep: { session: 'sessions.-1.id' } },
  { operation: 'POST /1/sessions/{id}/revoke.json', at: { id: 'session' } },
  { operation: 'POST /1/sessions/revoke_others.json' },
  {
    operation: 'POST /1/users/password.json',
    fields: ({ password }) => ({ password: password!, new_password: password! }),
  },
  { operation: 'GET /1/users/twofa.json' },
  {
    operation: 'POST /1/users/twofa.json',
    fields: ({ password }) => ({ password: password! }),
    keep: { totp: 'secret' },
  },
  {
    operation: 'POST /1/users/twofa/confirm.json',
    fields: ({ totp }) => ({ twofa: codeOf(totp!) }),
    keep: { recovery: 'recovery_codes.0' },
  },
  {
    operation: 'POST /1/users/twofa/disable.json',
    fields: ({ password, recovery }) => ({ password: password!, twofa: recovery! }),
  },
  {
    operation: 'POST /1/devices.json',
    fields: () => ({
      name: 'watch',
      platform: 'web',
      public_key: Buffer.from(createKeyPair().publicKey).toString('base64'),
      push: JSON.stringify({ type: 'fcm', token: 'watch' }),
    }),
    keep: { watch: 'id' },
  },
  { operation: 'GET /1/devices.json' },
  {
    operation: 'POST /1/devices/{id}.json',
    at: { id: 'watch' },
    fields: () => ({ name: 'clock', enabled: 0 }),
  },
  { operation: 'POST /1/devices/{id}/test.json' },
  { operation: 'POST /1/devices/{id}/delete.json', at: { id: 'watch' } },
  { operation: 'GET /1/push_key.json' },
  { operation: 'GET /1/history.json', keep: { sent: 'messages.0.id' } },
  {
    operation: 'GET /1/history.json',
    fields: ({ sent, app }) => ({ after: sent!, app: app! }),
  },
  { operation: 'GET /1/history/{message}.json', at: { message: 'sent' } },
  { operation: 'GET /1/history/{message}.json', at: { message: 'sent' }, fields: () => ({ after: '0' }) },
  { operation: 'GET /1/usage.json' },
  { operation: 'POST /1/apps.json', fields: () => ({ name: 'Other' }), keep: { other: 'id' } },
  { operation: 'GET /1/apps.json' },
  { operation: 'POST /1/apps/{id}/rotate.json', at: { id: 'other' } },
  { operation: 'POST /1/apps/{id}/delete.json', at: { id: 'other' } },
];

/** Routes that are no endpoints of the document: it and its page, files, the answer to browsers that ask first. */
const BESIDE = [
  'GET /1/openapi.json',
  'GET /docs',
  'GET /icons/{file}',
  'GET /sounds/{file}',
  'OPTIONS /{proxy+}',
];

/** The document, as the API serves it. */
async function served(): Promise<{ document: OpenApi; headers: Headers }> {
  const response = await fetch(`${peal().api}/1/openapi.json`);
  assert.equal(response.status, 200);
  return { document: (await response.json()) as OpenApi, headers: response.headers };
}

/** A world in which there are an account with an app, a sealed device and an Open Client. */
async function newWorld(): Promise<World> {
  const account = await newAccount(peal());
  const phone = await newDevice(account, { name: 'phone' });
  const tablet = await newDevice(account, { name: 'tablet', platform: 'open' });
  const open = await newDevice(account, { name: 'open', platform: 'open' });
  const [app] = await account.api.listApps();
  const { token, secret, user, email, password } = account;
  return {
    token,
    secret,
    user,
    email,
    password,
    app: app!.id,
    id: phone.id,
    open: open.id,
    tablet: tablet.id,
    tag: 'a/b',
  };
}

/** Makes a request as the document says: GET with a query, POST with JSON or, with files, as a multipart form. */
function ask(
  contract: Contract,
  { operation: name, files, at = {}, secret = 'secret' }: Step,
  world: World,
  fields: Fields,
): Promise<Answer> {
  const [method = '', template = ''] = name.split(' ');
  const path = template
    .replace('/1/', '')
    .replaceAll(/\{(\w+)\}/g, (_, segment: string) =>
      encodeURIComponent(world[at[segment] ?? segment] ?? ''),
    );
  const credential = contract.operation(name).security.flatMap((one) => Object.keys(one));
  const given = {
    ...(credential.includes('token') && { token: world.token! }),
    ...(credential.includes('secret') && { secret: world[secret]! }),
    ...fields,
  };
  if (method === 'GET') return request(peal(), `${path}?${new URLSearchParams(asText(given))}`);
  if (files) {
    const body = new FormData();
    for (const [part, value] of Object.entries({ ...asText(given), ...files })) body.set(part, value);
    return request(peal(), path, { method, body });
  }
  const headers = { 'Content-Type': 'application/json' };
  return request(peal(), path, { method, headers, body: JSON.stringify(given) });
}

const asText = (fields: Fields) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));

/** What is in an answer at a path; −1 is the last of a list. */
const found = (body: unknown, path: string) =>
  String(
    path
      .split('.')
      .reduce(
        (inner, name) =>
          Array.isArray(inner) ? inner.at(Number(name)) : (inner as Record<string, unknown>)[name],
        body,
      ),
  );

/** Values that a schema has bounds against. */
function wrongValues({ maxLength, maximum, minimum, pattern, enum: options }: Schema): (number | string)[] {
  return [
    ...(maxLength === undefined ? [] : ['x'.repeat(maxLength + 1)]),
    ...(maximum === undefined ? [] : [maximum + 1]),
    ...(minimum === undefined ? [] : [minimum - 1]),
    ...(pattern === undefined ? [] : ['☃ ?']),
    ...(options === undefined ? [] : ['☃ ?']),
  ];
}

describe('the OpenAPI document', () => {
  let contract: Contract;
  let world: World;
  const exercised = new Set<string>();

  before(async () => {
    contract = new Contract((await served()).document);
    world = await newWorld();
  });

  for (const [at, step] of STORY.entries()) {
    const { operation, fields = nothing, keep = {} } = step;

    test(`says what ${operation} takes and answers (${at})`, async () => {
      const given = fields(world);

      const answer = await ask(contract, step, world, given);

      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      contract.hold(operation, answer);
      assert.deepEqual(contract.faults(operation, given), []);
      assert.deepEqual(contract.faults(operation, asText(given)), []);
      for (const [name, field] of Object.entries(keep)) world[name] = found(answer.body, field);
      exercised.add(operation);
    });

    test(`says how ${operation} refuses (${at})`, async () => {
      const given = fields(world);
      const schemas = contract.parameters(operation);
      // Ciphertext may be longer: that is the other alternative, whose limits `functions/e2ee` has.
      const limited = given.encrypted === 1 ? [] : Object.keys(given).filter((name) => schemas[name]);

      if (contract.operation(operation).security.length > 0) {
        const stranger = await ask(
          contract,
          { ...step, secret: 'nobody' },
          { ...world, token: 'x', nobody: 'x' },
          given,
        );
        contract.hold(operation, stranger);
        assert.ok(stranger.status >= 400, JSON.stringify(stranger.body));
      }
      for (const name of limited) {
        for (const value of wrongValues(schemas[name]!)) {
          const wrong = { ...given, [name]: value };
          const answer = await ask(contract, step, world, wrong);
          contract.hold(operation, answer);
          assert.equal(answer.status, 400, `${name}=${value}`);
          assert.ok(name in answer.body, JSON.stringify(answer.body));
          assert.notDeepEqual(contract.faults(operation, wrong), [], `${name}=${value}`);
        }
      }
    });
  }

  test('demands what the API demands', async () => {
    for (const step of STORY) {
      const { operation, fields = nothing } = step;
      const given = fields(world);
      for (const name of Object.keys(given)) {
        const { [name]: _, ...less } = given;
        if (contract.faults(operation, less).length === 0) continue;
        const answer = await ask(contract, step, world, less);
        contract.hold(operation, answer);
        assert.equal(answer.status, 400, `${operation} without ${name}`);
      }
    }
  });

  test('has every schema in a form that a validator takes', () => {
    assert.ok(contract.compileAll() > 20);
  });

  test('is sound: every name is there once, every segment is a parameter, every area is a tag', () => {
    const { document } = contract;
    const operations = contract.operations().map((name) => [name, contract.operation(name)] as const);
    const ids = operations.map(([, { operationId }]) => operationId);
    const tags = document.tags.map(({ name }) => name);

    assert.match(document.openapi, /^3\.1\./);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => /^[a-z][A-Za-z0-9]*$/.test(id)));
    assert.deepEqual(
      tags,
      Object.values(AREAS).map(({ name }) => name),
    );
    for (const [name, { parameters, summary, tags: own, security, responses }] of operations) {
      const inPath = parameters.filter((one) => one.in === 'path');
      assert.deepEqual(
        inPath.map((one) => [one.name, one.required]),
        [...name.matchAll(/\{(\w+)\}/g)].map(([, segment]) => [segment, true]),
      );
      assert.ok(summary.length > 0 && own.every((tag) => tags.includes(tag)));
      for (const scheme of security.flatMap((one) => Object.keys(one))) {
        assert.ok(document.components.securitySchemes[scheme], scheme);
      }
      for (const status of ['200', '400', '413', '5XX']) assert.ok(responses[status]);
    }
  });

  test('has an operation for every route that is deployed, and none besides', async () => {
    const routes = (await ofType('PealApi', 'AWS::ApiGatewayV2::Route')).map(({ Properties }) =>
      String(Properties.RouteKey),
    );
    const plain = (name: string) => name.replace(/\.json$/, '').replace('+}', '}');
    const deployed = new Set(routes.filter((route) => !BESIDE.includes(route)).map(plain));
    const documented = new Set(contract.operations().map(plain));

    assert.deepEqual(
      [...documented].filter((name) => !deployed.has(name)),
      [],
    );
    assert.deepEqual(
      [...deployed].filter((name) => !documented.has(name)),
      [],
    );
  });

  test('has no operation that this story leaves out', () => {
    assert.deepEqual(
      contract.operations().filter((name) => !exercised.has(name)),
      [],
    );
  });
});

test('the document says where it was asked, and is asked again only if it has changed', async () => {
  const { document, headers } = await served();
  const etag = headers.get('etag') ?? '';

  const again = await fetch(`${peal().api}/1/openapi.json`, {
    headers: { 'If-None-Match': `W/"x", ${etag}` },
  });

  assert.deepEqual(document.servers, [{ url: peal().api }]);
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(headers.get('access-control-allow-origin'), '*');
  assert.match(headers.get('cache-control') ?? '', /max-age=\d+/);
  assert.deepEqual([again.status, again.headers.get('etag'), await again.text()], [304, etag, '']);
});

test('the page has every operation, and nothing that runs', async () => {
  const { document } = await served();

  const response = await fetch(`${peal().api}/docs`);
  const text = await response.text();

  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(
    response.headers.get('content-security-policy') ?? '',
    /^default-src 'none'; style-src 'sha256-/,
  );
  for (const { operationId } of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    assert.ok(text.includes(`<article id="${operationId}">`), operationId);
  }
  assert.ok(text.includes(`${peal().api}/1/messages.json`));
  assert.doesNotMatch(text, /<script|javascript:| on\w+=/);
});

test('whoever serves it loads no client of AWS', async () => {
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, '../../functions/openapi/index.ts')],
    bundle: true,
    platform: 'node',
    mainFields: ['module', 'main'],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });

  const inputs = Object.keys(metafile.inputs);

  assert.ok(inputs.some((input) => input.endsWith('functions/endpoints.ts')));
  assert.deepEqual(
    inputs.filter((input) => /@aws-sdk|@smithy/.test(input)),
    [],
  );
});
