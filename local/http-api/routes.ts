/** Route selection of an API Gateway HTTP API. */
import type { Authorizer } from './authorizer.ts';

/** A route as the template names it, with the function it leads to. */
export interface Route {
  /** `POST /1/messages.json`, `ANY /{proxy+}` or `$default`. */
  routeKey: string;
  functionArn: string;
  /** Who decides whether a request is let in; without it, all are. */
  authorizer?: Authorizer;
}

/** The route that a request takes, and its path parameters, URL-decoded. */
export interface Match<R extends Route = Route> {
  route: R;
  parameters: Record<string, string>;
}

interface Pattern<R extends Route> {
  route: R;
  method: string;
  segments: string[];
}

/** How exactly a segment of a route fits, best first. */
const RANK = { literal: 0, parameter: 1, greedy: 2 } as const;

function rank(segment: string | undefined): number {
  if (segment === undefined) return RANK.literal;
  if (segment.endsWith('+}')) return RANK.greedy;
  return segment.startsWith('{') ? RANK.parameter : RANK.literal;
}

/** Decodes a path segment; one that is not valid percent-encoding is taken as it is. */
export function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parse<R extends Route>(route: R): Pattern<R> {
  const space = route.routeKey.indexOf(' ');
  const method = route.routeKey.slice(0, space);
  const path = route.routeKey.slice(space + 1);
  if (space <= 0 || !path.startsWith('/'))
    throw new Error(`The route key "${route.routeKey}" is not "METHOD /path".`);
  const segments = path.slice(1).split('/');
  const greedy = segments.findIndex((segment) => segment.endsWith('+}'));
  if (greedy >= 0 && greedy !== segments.length - 1) {
    throw new Error(`The route key "${route.routeKey}" has a greedy parameter before its end.`);
  }
  return { route, method, segments };
}

/** The parameters with which a path fits a pattern, or undefined if it does not. An empty segment fits no parameter. */
function fit(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [at, segment] of pattern.entries()) {
    const value = path[at];
    if (value === undefined) return undefined;
    if (segment.endsWith('+}')) {
      const rest = path.slice(at).join('/');
      return rest === '' ? undefined : { ...parameters, [segment.slice(1, -2)]: decodeSegment(rest) };
    }
    if (segment.startsWith('{')) {
      if (value === '') return undefined;
      parameters[segment.slice(1, -1)] = decodeSegment(value);
    } else if (segment !== decodeSegment(value)) return undefined;
  }
  return pattern.length === path.length ? parameters : undefined;
}

/** Orders routes: full ones before greedy ones, then the more literal ones, then a method before ANY. */
function compare(a: Pattern<Route>, b: Pattern<Route>): number {
  const greedy = (pattern: Pattern<Route>): number => Number(rank(pattern.segments.at(-1)) === RANK.greedy);
  if (greedy(a) !== greedy(b)) return greedy(a) - greedy(b);
  const length = Math.max(a.segments.length, b.segments.length);
  for (let at = 0; at < length; at += 1) {
    const difference = rank(a.segments[at]) - rank(b.segments[at]);
    if (difference !== 0) return difference;
  }
  return Number(a.method === 'ANY') - Number(b.method === 'ANY');
}

/**
 * Makes a router. A full match goes before a greedy one, that before `$default` (API Gateway: "Routing API requests");
 * among full matches a literal segment goes before a parameter. Routes for another method are as if they were not there.
 *
 * @throws Error when a route key is malformed or occurs twice, as AWS refuses both.
 */
export function createRouter<R extends Route>(
  routes: readonly R[],
): (method: string, path: string) => Match<R> | undefined {
  const keys = new Set<string>();
  for (const { routeKey } of routes) {
    if (keys.has(routeKey)) throw new Error(`The route key "${routeKey}" occurs twice.`);
    keys.add(routeKey);
  }
  const fallback = routes.find((route) => route.routeKey === '$default');
  const patterns = routes
    .filter((route) => route !== fallback)
    .map(parse)
    .sort(compare);
  return (method, path) => {
    const segments = path.replace(/^\//, '').split('/');
    for (const pattern of patterns) {
      if (pattern.method !== method && pattern.method !== 'ANY') continue;
      const parameters = fit(pattern.segments, segments);
      if (parameters !== undefined) return { route: pattern.route, parameters };
    }
    return fallback === undefined ? undefined : { route: fallback, parameters: {} };
  };
}
