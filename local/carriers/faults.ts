/** The faults that stand-ins were told to have. */

import { type Fault, type FaultRule, STAND_INS } from './types.ts';

const KINDS: Record<Fault['kind'], 'ms' | 'status' | 'streams' | undefined> = {
  status: 'status',
  delay: 'ms',
  silence: undefined,
  'reset-before': undefined,
  'reset-after': undefined,
  close: undefined,
  goaway: undefined,
  'goaway-close': undefined,
  'stream-limit': 'streams',
  'slow-body': 'ms',
};

export class Faults {
  #rules: { rule: FaultRule; left: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault that strikes a request, oldest first, counted down. */
  take(carrier: FaultRule['carrier'], target: string): Fault | undefined {
    const found = this.#rules.find(
      ({ rule }) => rule.carrier === carrier && (rule.target === undefined || rule.target === target),
    );
    if (!found) return undefined;

    found.left--;
    if (found.left <= 0) this.#rules = this.#rules.filter((entry) => entry !== found);
    return found.rule.fault;
  }
}

/**
 * Reads a rule from JSON.
 *
 * @throws {TypeError} that says what is wrong
 */
export function parseFaultRule(json: unknown): FaultRule {
  const rule = object(json, 'the fault rule');
  const carriers: readonly unknown[] = [...STAND_INS, 'oauth'];
  if (!carriers.includes(rule.carrier)) throw new TypeError(`carrier must be one of ${carriers.join(', ')}`);
  if (rule.target !== undefined && typeof rule.target !== 'string')
    throw new TypeError('target must be a string');
  if (rule.times !== undefined && !(Number.isInteger(rule.times) && Number(rule.times) > 0)) {
    throw new TypeError('times must be a positive integer');
  }

  const fault = object(rule.fault, 'fault');
  if (typeof fault.kind !== 'string' || !(fault.kind in KINDS)) {
    throw new TypeError(`fault.kind must be one of ${Object.keys(KINDS).join(', ')}`);
  }
  const number = KINDS[fault.kind as Fault['kind']];
  if (number && !(Number.isInteger(fault[number]) && Number(fault[number]) >= 0)) {
    throw new TypeError(`fault.${number} must be a number`);
  }
  return rule as unknown as FaultRule;
}

/** @throws {TypeError} unless `value` is a JSON object */
export function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be a JSON object`);
  }
  return value as Record<string, unknown>;
}
