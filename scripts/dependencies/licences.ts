/** Which licences are fine, and for what. */

/** What is done with a package: sent to browsers, run as a part of the deployment, or used for the work on it. */
export type Use = 'deployed' | 'sent' | 'tool';

/** Ask for their notice to be kept, or for nothing. */
const ALWAYS = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
];

/** MPL wants the source of its own files passed on with them: what runs in our account is passed on to nobody. */
const ALLOWED: Record<Use, ReadonlySet<string>> = {
  sent: new Set(ALWAYS),
  deployed: new Set([...ALWAYS, 'MPL-2.0']),
  tool: new Set([...ALWAYS, 'MPL-2.0']),
};

/** Packages that do not say it in the field that npm reads, with what their licence file says. */
const SAID_ELSEWHERE: Record<string, string> = {
  'exif-parser@0.1.12': 'MIT',
  'limiter@1.1.5': 'MIT',
  'pushover-js@1.3.2': 'MIT',
  'pushover-notifications@1.2.3': 'ISC',
};

/** A package's licence, as an SPDX expression; undefined if nobody knows. */
export function licenceOf(name: string, version: string, said: string | undefined): string | undefined {
  return said ?? SAID_ELSEWHERE[`${name}@${version}`];
}

/**
 * Whether an SPDX expression allows the use: of what is joined by OR one must be fine, of what is joined by AND all.
 * Anything more complicated is for a person to look at.
 */
export function isAllowed(expression: string | undefined, use: Use): boolean {
  if (expression === undefined) return false;
  return expression
    .replace(/^\((.*)\)$/, '$1')
    .split(/ OR /)
    .some((part) => part.split(/ AND /).every((id) => ALLOWED[use].has(id.trim())));
}
