/** The faults that AWS's services were told to have: what a network does to a call, which no error answer stands for. */
import type { Call, ServiceName } from './call.ts';

/**
 * How a call is answered.
 *
 * - `silence`: it is taken and never answered; it has no effect.
 * - `silence-after`: it takes effect, and is never answered.
 * - `half`: it takes effect; the headers and half of the body come, and then nothing.
 */
export type AwsFault = 'half' | 'silence' | 'silence-after';

/** Which calls fail how. */
export interface AwsFaultRule {
  service: ServiceName;
  /** The operation, such as `PutItem`; of S3 and Lambda the HTTP method. Absent: any. */
  action?: string;
  /** How the name of the calling function begins, after its stack's; absent: any. */
  caller?: string;
  /** How many calls it strikes; absent: all until the faults are cleared. */
  times?: number;
  fault: { kind: AwsFault };
}

const SERVICES: readonly unknown[] = [
  'dynamodb',
  'sqs',
  's3',
  'secretsmanager',
  'lambda',
] satisfies ServiceName[];
const KINDS: readonly unknown[] = ['half', 'silence', 'silence-after'] satisfies AwsFault[];

export class AwsFaults {
  #rules: { rule: AwsFaultRule; left: number }[] = [];

  add(rule: AwsFaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  /** How many rules have not struck as often as they may. */
  get waiting(): number {
    return this.#rules.length;
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault that strikes a call, oldest first, counted down. */
  take(call: Call): AwsFault | undefined {
    const found = this.#rules.find(({ rule }) => strikes(rule, call));
    if (!found) return undefined;
    found.left--;
    if (found.left <= 0) this.#rules = this.#rules.filter((each) => each !== found);
    return found.rule.fault.kind;
  }
}

function strikes({ service, action, caller }: AwsFaultRule, call: Call): boolean {
  if (service !== call.service) return false;
  if (action !== undefined && action !== (call.action || call.method)) return false;
  return caller === undefined || call.caller.name.includes(`-${caller}`);
}

/**
 * Reads a rule from JSON.
 *
 * @throws {TypeError} that says what is wrong
 */
export function parseAwsFaultRule(rule: Record<string, unknown>): AwsFaultRule {
  const { service, action, caller, times, fault } = rule;
  if (!SERVICES.includes(service)) throw new TypeError(`service must be one of ${SERVICES.join(', ')}`);
  for (const [name, value] of Object.entries({ action, caller })) {
    if (value !== undefined && typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  }
  if (times !== undefined && !(Number.isInteger(times) && Number(times) > 0)) {
    throw new TypeError('times must be a positive integer');
  }
  if (!KINDS.includes(Object(fault).kind))
    throw new TypeError(`fault.kind must be one of ${KINDS.join(', ')}`);
  return rule as unknown as AwsFaultRule;
}
