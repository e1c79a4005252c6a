/** What buckets let browsers of other origins do (S3: "CORS configuration"). */

import type { Answer } from '../aws/call.ts';
import { s3Error } from '../aws/s3-answers.ts';
import { matchesWildcard } from '../iam/match.ts';
import { asList, isObject } from '../template/json.ts';
import type { Model } from '../template/model.ts';

interface CorsRule {
  origins: string[];
  methods: string[];
  headers: string[];
  exposed: string[];
  maxAge: string | undefined;
}

/** A request as CORS sees it; header names in lower case. */
export interface CorsRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The CORS rules of all buckets. */
export class Cors {
  readonly #rules: ReadonlyMap<string, CorsRule[]>;

  constructor(rules: ReadonlyMap<string, CorsRule[]> = new Map()) {
    this.#rules = rules;
  }

  /** The answer to a browser that asks before it calls; undefined if the request does not ask that. */
  preflight({ method, url, headers }: CorsRequest): Answer | undefined {
    const wanted = headers['access-control-request-method'];
    const { origin } = headers;
    if (method !== 'OPTIONS' || wanted === undefined || origin === undefined) return undefined;
    const asked = String(headers['access-control-request-headers'] ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '');
    const rule = this.#find(url, String(origin), String(wanted));
    const allowed = asked.every((name) =>
      rule?.headers.some((pattern) => matchesWildcard(pattern.toLowerCase(), name)),
    );
    if (!rule || !allowed) {
      return s3Error(403, 'AccessForbidden', 'CORSResponse: This CORS request is not allowed.');
    }
    const also = {
      ...(asked.length > 0 && { 'access-control-allow-headers': asked.join(', ') }),
      ...(rule.maxAge !== undefined && { 'access-control-max-age': rule.maxAge }),
    };
    return { status: 200, headers: { ...headersOf(rule, String(origin)), ...also }, body: '' };
  }

  /** What lets a browser read the answer to a request. */
  headers({ method, url, headers }: CorsRequest): Record<string, string> {
    if (headers.origin === undefined) return {};
    const origin = String(headers.origin);
    const rule = this.#find(url, origin, method);
    return rule ? headersOf(rule, origin) : {};
  }

  #find(url: string, origin: string, method: string): CorsRule | undefined {
    const bucket = url.split(/[/?]/)[1] ?? '';
    return this.#rules
      .get(bucket)
      ?.find(
        ({ origins, methods }) =>
          methods.includes(method) && origins.some((pattern) => matchesWildcard(pattern, origin)),
      );
  }
}

/** Reads the CORS rules of the template's buckets. */
export function readCors(model: Model): Cors {
  const rules = new Map<string, CorsRule[]>();
  for (const { ref, properties } of model.ofType('AWS::S3::Bucket')) {
    const configuration = properties.CorsConfiguration;
    if (!isObject(configuration)) continue;
    const read = asList(configuration.CorsRules)
      .filter(isObject)
      .map((rule) => ({
        origins: asList(rule.AllowedOrigins).map(String),
        methods: asList(rule.AllowedMethods).map(String),
        headers: asList(rule.AllowedHeaders).map(String),
        exposed: asList(rule.ExposedHeaders).map(String),
        maxAge: rule.MaxAge === undefined ? undefined : String(rule.MaxAge),
      }));
    rules.set(ref, read);
  }
  return new Cors(rules);
}

function headersOf({ origins, methods, exposed }: CorsRule, origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origins.includes('*') ? '*' : origin,
    'access-control-allow-methods': methods.join(', '),
    ...(exposed.length > 0 && { 'access-control-expose-headers': exposed.join(', ') }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}
