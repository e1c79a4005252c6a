/** Sounds and icons: what devices fetch, and what accounts upload. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { Apps, appIdOf, DEFAULT_ICON } from '../../lib/accounts/apps.ts';
import { plainHash } from '../../lib/accounts/keyed-hash.ts';
import { findSession } from '../../lib/accounts/sessions.ts';
import { Throttles } from '../../lib/accounts/throttles.ts';
import { success } from '../../lib/http/answer.ts';
import { fileAnswer } from '../../lib/http/file-answer.ts';
import type { HttpAnswer, HttpRequest } from '../../lib/http/message.ts';
import { IMMUTABLE, MEDIA, MediaBucket, type MediaKind } from '../../lib/media/bucket.ts';
import { CustomSounds } from '../../lib/media/custom-sounds.ts';
import { readIcon } from '../../lib/media/icon.ts';
import { isSoundId } from '../../lib/media/sound-fields.ts';
import { builtInSound } from '../../lib/messages/sounds.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { Refusal } from '../../lib/refusal.ts';
import { type EndpointRequest, on } from '../endpoint.ts';
import { table, variable } from '../environment.ts';
import { HttpApp, type RoutedRequest, secretOf, serve } from '../http.ts';
import { log } from '../log.ts';
import * as endpoints from './endpoints.ts';

/** What comes with a release may change with the next: it is kept for a week, then asked for again. */
const BUILT_IN = 'public, max-age=604800';

const directory = table('DIRECTORY_TABLE');
const bucket = new MediaBucket(awsClient('s3', S3Client), variable('MEDIA_BUCKET'));
const sounds = new CustomSounds(directory, bucket);
const apps = new Apps(directory, Date.now);
const throttles = new Throttles(
  directory,
  Date.now,
  (message, fields) => log('error', message, fields),
  plainHash,
);
const app = new HttpApp();

/** The account that a request is made for. */
async function userOf({ http, params }: Pick<EndpointRequest<never>, 'http' | 'params'>): Promise<string> {
  return (await findSession(directory, secretOf(http, params))).user;
}

on(app, endpoints.addSound, async (request) => {
  const user = await userOf(request);
  const [fields, file] = [request.fields(), request.file('sound')];
  await throttles.take('upload', user, 'sound');
  return success(await sounds.add(user, fields, file));
});

on(app, endpoints.ownSounds, async (request) =>
  success({ sounds: await sounds.list(await userOf(request)) }),
);

on(app, endpoints.deleteSound, async (request) => {
  await sounds.remove(await userOf(request), request.segment('name'));
  return success();
});

on(app, endpoints.setIcon, async (request) => {
  const user = await userOf(request);
  const id = appIdOf(request.segment('id'));
  await apps.find(user, id);
  const icon = readIcon(request.file('icon'));
  await throttles.take('upload', user, 'icon');
  await bucket.put('icons', icon.name, icon.png);
  await apps.setIcon(user, id, icon.name);
  return success({ icon: icon.name });
});

on(app, endpoints.deleteIcon, async (request) => {
  await apps.setIcon(await userOf(request), appIdOf(request.segment('id')), DEFAULT_ICON);
  return success();
});

/** Names of the icons that come with Peal: a client falls back to either, where it finds no icon. */
const ICONS = [DEFAULT_ICON, 'pushover'];

app.on('GET', '/sounds/:file', async ({ segments, headers }) => {
  const name = nameIn(segments, 'sounds');
  const builtIn = builtInSound(name);
  if (builtIn !== undefined) return serveBuiltIn(headers, 'sounds', builtIn);
  return serveUploaded(headers, 'sounds', isSoundId(name) ? name : undefined);
});

app.on('GET', '/icons/:file', async ({ segments, headers }) => {
  const name = nameIn(segments, 'icons');
  if (ICONS.includes(name)) return serveBuiltIn(headers, 'icons', DEFAULT_ICON);
  return serveUploaded(headers, 'icons', /^[0-9a-f]{32}$/.test(name) ? name : undefined);
});

export const handler = serve(app);

/** What comes before the suffix; empty without it. */
function nameIn({ file = '' }: RoutedRequest['segments'], kind: MediaKind): string {
  return file.endsWith(MEDIA[kind].suffix) ? file.slice(0, -MEDIA[kind].suffix.length) : '';
}

/** Files that were served, by their paths. */
const builtIns = new Map<string, { content: Buffer; tag: string }>();

/** Serves a file that comes with this function. Its name is one of ours, never a client's. */
async function serveBuiltIn(
  asked: HttpRequest['headers'],
  kind: MediaKind,
  name: string,
): Promise<HttpAnswer> {
  const { type, suffix } = MEDIA[kind];
  const path = join(import.meta.dirname, 'assets', kind, name + suffix);
  let file = builtIns.get(path);
  if (!file) {
    const content = await readFile(path);
    file = { content, tag: createHash('sha256').update(content).digest('base64url') };
    builtIns.set(path, file);
  }
  return fileAnswer({ ...file, type, cacheControl: BUILT_IN }, asked);
}

/** Serves what an account has uploaded. Its name is its tag: it never names another content. */
async function serveUploaded(
  asked: HttpRequest['headers'],
  kind: MediaKind,
  name: string | undefined,
): Promise<HttpAnswer> {
  const content = name === undefined ? undefined : await bucket.get(kind, name);
  if (name === undefined || content === undefined) {
    throw new Refusal({ field: kind === 'icons' ? 'icon' : 'sound', reason: 'not found' }, 404);
  }
  const { type } = MEDIA[kind];
  return fileAnswer({ content, type, tag: name, cacheControl: IMMUTABLE }, asked);
}
