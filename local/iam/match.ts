/** Wildcard matching as IAM does it. */

/**
 * Whether `value` matches `pattern`, where `*` stands for any run of characters and `?` for exactly one. Takes time
 * linear in the value for each `*` (no backtracking over more than the last one).
 */
export function matchesWildcard(pattern: string, value: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let retry = 0;
  while (from < value.length) {
    if (pattern[at] === '*') {
      star = at++;
      retry = from;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === value[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

/** Whether an action such as `dynamodb:PutItem` matches `pattern`; actions do not heed upper and lower case. */
export function matchesAction(pattern: string, action: string): boolean {
  return matchesWildcard(pattern.toLowerCase(), action.toLowerCase());
}

/**
 * Whether an ARN matches `pattern`: each of the six parts between colons by itself, so that a `*` in the account
 * cannot swallow the resource (IAM user guide, "ARN condition operators"). A lone `*` matches everything.
 */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*' || pattern === arn) return true;
  const patterns = parts(pattern);
  const values = parts(arn);
  if (patterns.length !== values.length) return false;
  return patterns.every((part, index) => matchesWildcard(part, values[index] as string));
}

/** The six parts of an ARN: the last keeps its colons. */
function parts(arn: string): string[] {
  const split = arn.split(':');
  return split.length <= 6 ? split : [...split.slice(0, 5), split.slice(5).join(':')];
}
