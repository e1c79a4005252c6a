/** Condition blocks of IAM statements. */
import { matchesArn, matchesWildcard } from './match.ts';

/** Condition keys of a request, in lower case, with their values. */
export type Context = ReadonlyMap<string, readonly string[]>;

type Compare = (wanted: string, actual: string) => boolean;

const OPERATORS: Record<string, { compare: Compare; negated?: true }> = {
  StringEquals: { compare: (wanted, actual) => wanted === actual },
  StringNotEquals: { compare: (wanted, actual) => wanted === actual, negated: true },
  StringEqualsIgnoreCase: { compare: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase() },
  StringLike: { compare: matchesWildcard },
  StringNotLike: { compare: matchesWildcard, negated: true },
  Bool: { compare: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase() },
  ArnEquals: { compare: matchesArn },
  ArnLike: { compare: matchesArn },
  ArnNotEquals: { compare: matchesArn, negated: true },
  ArnNotLike: { compare: matchesArn, negated: true },
};

const FORM = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** Whether a condition operator, with its `ForAllValues:` and `IfExists`, is one that is evaluated here. */
export function isKnownOperator(operator: string): boolean {
  const base = FORM.exec(operator)?.[2];
  return base !== undefined && Object.hasOwn(OPERATORS, base);
}

/**
 * Whether every operator and key of a condition block holds.
 *
 * A key that the request does not have fails the test, except for a negated operator, `…IfExists` and
 * `ForAllValues:` (IAM user guide, "Condition operators").
 */
export function conditionHolds(
  condition: Record<string, Record<string, string | string[]>>,
  context: Context,
): boolean {
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) =>
      keyHolds(operator, Array.isArray(wanted) ? wanted : [wanted], context.get(key.toLowerCase())),
    ),
  );
}

function keyHolds(operator: string, wanted: string[], actual: readonly string[] | undefined): boolean {
  const [, set, base = '', ifExists] = FORM.exec(operator) ?? [];
  const known = OPERATORS[base];
  if (!known) throw new Error(`the condition operator ${operator} is not known`);
  const { compare, negated = false } = known;
  const holds = (value: string): boolean => wanted.some((one) => compare(one, value)) !== negated;
  if (actual === undefined || actual.length === 0) {
    if (ifExists || set === 'ForAllValues') return true;
    return set === undefined && negated;
  }
  if (set === 'ForAnyValue') return actual.some(holds);
  return actual.every(holds);
}
