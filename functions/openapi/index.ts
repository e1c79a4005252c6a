/** `GET /1/openapi.json`, the OpenAPI document of the API, and `GET /docs`, a page made of it. */
import { createHash } from 'node:crypto';
import { content, notModified } from '../../lib/http/answer.ts';
import type { HttpAnswer, HttpRequest } from '../../lib/http/message.ts';
import { edgeOrigin } from '../behind-edge.ts';
import { AREAS } from '../endpoints.ts';
import { HttpApp, serve } from '../http.ts';
import { openApi } from './document.ts';
import { PAGE_POLICY, page } from './page.ts';

/** An answer as it is kept: it is the same until the next deployment. */
interface Kept {
  body: string;
  etag: string;
}

/** By what is asked and where. An API has one or two names; the bound is for a proxy that invents more. */
const kept = new Map<string, Kept>();
const MAX_KEPT = 20;

const app = new HttpApp();

app.on('GET', '/1/openapi.json', (request) =>
  answer(request, () => JSON.stringify(openApi(AREAS, originOf(request))), 'application/json; charset=utf-8'),
);

app.on('GET', '/docs', (request) =>
  answer(
    request,
    () => `${page(openApi(AREAS, originOf(request)))}`,
    'text/html; charset=utf-8',
    PAGE_POLICY,
  ),
);

export const handler = serve(app, edgeOrigin());

function answer(
  request: HttpRequest,
  make: () => string,
  type: string,
  headers: Record<string, string> = {},
): HttpAnswer {
  const key = `${originOf(request)} ${request.path}`;
  if (kept.size >= MAX_KEPT) kept.clear();
  const found = kept.get(key) ?? newlyKept(make());
  kept.set(key, found);
  const known = (request.headers['if-none-match'] ?? '')
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(found.etag)) return notModified(found.etag);
  return content(found.body, type, { ETag: found.etag, ...headers });
}

function newlyKept(body: string): Kept {
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}

/**
 * Where the API is asked. API Gateway writes `x-forwarded-proto`, and lets through only names that are its own; in the
 * local cloud there are a port and no TLS.
 */
function originOf({ headers }: HttpRequest): string {
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  const origin = `${scheme}://${headers.host ?? ''}`;
  return URL.canParse(origin) ? new URL(origin).origin : '';
}
