import { DEVICE_NAME } from '../accounts/devices.ts';
import { isKey } from '../accounts/keys.ts';
import { badUser } from '../accounts/refusals.ts';
import type { Params } from '../http/params.ts';
import { type Fault, Refusal } from '../refusal.ts';
import { MAX_GROUP_NAME } from './groups.ts';

/** Longest memo of a member, in characters (Pushover's rule). */
export const MAX_MEMO = 200;

/** Whom a change of members is about. */
export interface MemberFields {
  user: string;
  device?: string;
  memo?: string;
}

/** The `name` of a group. @throws Refusal naming it */
export function groupName(params: Params): string {
  const name = params.get('name') ?? '';
  if (name.trim() === '') throw new Refusal({ field: 'name', reason: 'cannot be blank' });
  if ([...name].length > MAX_GROUP_NAME) {
    throw new Refusal({ field: 'name', reason: `is too long (maximum is ${MAX_GROUP_NAME} characters)` });
  }
  return name;
}

/** `user`, `device` and `memo` of a member. @throws Refusal naming every one that is wrong */
export function memberFields(params: Params): MemberFields {
  const [user, device, memo] = ['user', 'device', 'memo'].map((name) => params.get(name));
  const faults: Fault[] = [];
  if (user === undefined || !isKey(user)) faults.push(...badUser().faults);
  if (device !== undefined && !DEVICE_NAME.test(device)) {
    faults.push({ field: 'device', reason: 'is invalid, must be 1 to 25 letters, digits, _ or -' });
  }
  if (memo !== undefined && [...memo].length > MAX_MEMO) {
    faults.push({ field: 'memo', reason: `is too long (maximum is ${MAX_MEMO} characters)` });
  }
  if (user === undefined || faults.length > 0) throw new Refusal(faults);
  return { user, ...(device !== undefined && { device }), ...(memo !== undefined && { memo }) };
}

/** Where a list of members goes on: the `after` that the page before it gave. @throws Refusal naming it */
export function memberCursor(params: Params): string | undefined {
  const after = params.get('after');
  if (after !== undefined && !/^[A-Za-z0-9]{30}#[a-z0-9_-]{0,25}$/.test(after)) {
    throw new Refusal({ field: 'after', reason: 'is not where a page ended' });
  }
  return after;
}
