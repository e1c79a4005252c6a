import { type Fault, Refusal } from '../refusal.ts';
import type { Params } from './params.ts';

/**
 * Parameters that must be there, by name.
 *
 * @throws Refusal naming every one that is missing
 */
export function required<Name extends string>(params: Params, names: readonly Name[]): Record<Name, string> {
  const values: Partial<Record<Name, string>> = {};
  const faults: Fault[] = [];
  for (const name of names) {
    const value = params.get(name);
    if (value === undefined) faults.push({ field: name, reason: 'cannot be blank' });
    else values[name] = value;
  }
  if (faults.length > 0) throw new Refusal(faults);
  return values as Record<Name, string>;
}
