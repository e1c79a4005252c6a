/** Lambda's event filter patterns (AWS Lambda developer guide, "Event filtering"). */
import { asList, isObject, type Json, type JsonObject, TemplateError, type Where } from '../template/json.ts';

/** A checked pattern: an object whose leaves are lists of rules, one of which must hold. */
export type Pattern = JsonObject;

type Rule = (wanted: Json, actual: Json | undefined) => boolean;

const RULES: Record<string, Rule> = {
  exists: (wanted, actual) => (actual !== undefined) === wanted,
  prefix: (wanted, actual) => typeof actual === 'string' && actual.startsWith(String(wanted)),
  suffix: (wanted, actual) => typeof actual === 'string' && actual.endsWith(String(wanted)),
  'equals-ignore-case': (wanted, actual) =>
    typeof actual === 'string' && actual.toLowerCase() === String(wanted).toLowerCase(),
  'anything-but': (wanted, actual) => actual !== undefined && !asList(wanted).some((one) => one === actual),
  numeric: (wanted, actual) => typeof actual === 'number' && inRange(asList(wanted), actual),
};

/** Checks a pattern. @throws TemplateError for a rule that is not known here */
export function readPattern(pattern: unknown, where: Where): Pattern {
  if (!isObject(pattern)) throw new TemplateError(where, 'a filter pattern is an object');
  for (const [name, value] of Object.entries(pattern)) {
    if (Array.isArray(value)) {
      for (const rule of value) checkRule(name, rule, where);
    } else {
      readPattern(value, where);
    }
  }
  return pattern;
}

function checkRule(name: string, rule: Json, where: Where): void {
  if (!isObject(rule)) return;
  if (name === '$or') {
    readPattern(rule, where);
    return;
  }
  for (const kind of Object.keys(rule)) {
    if (!Object.hasOwn(RULES, kind))
      throw new TemplateError(where, `the filter rule ${kind} is not known here`);
  }
}

/** Whether a record as Lambda sees it, its body parsed if it is JSON, matches the pattern. */
export function matchesPattern(pattern: Pattern, value: Json | undefined): boolean {
  return Object.entries(pattern).every(([name, wanted]) => {
    if (name === '$or') return asList(wanted).some((one) => isObject(one) && matchesPattern(one, value));
    const actual = isObject(value) ? value[name] : undefined;
    if (isObject(wanted)) return matchesPattern(wanted, actual);
    const candidates = Array.isArray(actual) && actual.length > 0 ? actual : [actual];
    return candidates.some((one) => asList(wanted).some((rule) => ruleHolds(rule, one)));
  });
}

function ruleHolds(rule: Json, actual: Json | undefined): boolean {
  if (!isObject(rule)) return rule === actual;
  return Object.entries(rule).every(([kind, wanted]) => RULES[kind]?.(wanted, actual) ?? false);
}

/** `[">", 0, "<=", 5]` */
function inRange(terms: Json[], actual: number): boolean {
  for (let at = 0; at < terms.length; at += 2) {
    const limit = Number(terms[at + 1]);
    const holds: Record<string, boolean> = {
      '=': actual === limit,
      '<': actual < limit,
      '<=': actual <= limit,
      '>': actual > limit,
      '>=': actual >= limit,
    };
    if (!holds[String(terms[at])]) return false;
  }
  return true;
}
