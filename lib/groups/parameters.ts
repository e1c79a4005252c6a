/** What a request about groups may say, and what is answered. */
import * as v from 'valibot';
import { DEVICE_NAME } from '../accounts/devices.ts';
import { KEY } from '../accounts/keys.ts';
import { optionalForm, optionalText, requiredText, sentence } from '../http/fields.ts';

/** Longest name of a group, in characters. */
const MAX_GROUP_NAME = 100;

/** Longest memo of a member, in characters (Pushover's rule). */
const MAX_MEMO = 200;

/** The key of a group, as answers and paths have it. */
export const GROUP_KEY = v.pipe(v.string(), v.regex(KEY), v.description('Key of the group, `g…`'));

/** What making and renaming a group takes. */
export const GROUP = v.object({ name: requiredText(MAX_GROUP_NAME, 'Name of the group') });

const USER = v.pipe(
  v.optional(v.string(), ''),
  v.regex(KEY, 'invalid'),
  sentence('user key is invalid'),
  v.description('Key of the user'),
);

const DEVICE = optionalForm(
  DEVICE_NAME,
  'is invalid, must be 1 to 25 letters, digits, _ or -',
  'Name of one of the user’s devices; without it, all entries of the user, or an entry for all devices',
);

/** Whom a change of a member is about. */
export const MEMBER = v.object({ user: USER, device: DEVICE });

/** Who is added. */
export const NEW_MEMBER = v.object({
  ...MEMBER.entries,
  memo: optionalText(MAX_MEMO, 'A note, for whoever looks at the group'),
});

/** Where a list of members goes on: the `after` that the page before it gave. */
export const MEMBER_CURSOR = v.object({
  after: optionalForm(
    /^[A-Za-z0-9]{30}#[a-z0-9_-]{0,25}$/,
    'is not where a page ended',
    'Where the list goes on: the `after` of the page before',
  ),
});

/** A new group. */
export const GROUP_ANSWER = v.object({ group: GROUP_KEY });

/** The groups of an account. */
export const GROUPS_ANSWER = v.object({
  groups: v.array(v.object({ group: GROUP_KEY, name: v.string() })),
});

/** A group and its members, or a page of them. */
export const MEMBERS_ANSWER = v.object({
  name: v.string(),
  users: v.array(
    v.object({
      user: v.pipe(v.string(), v.regex(KEY)),
      device: v.pipe(v.nullable(v.string()), v.description('null: all of the user’s devices')),
      memo: v.nullable(v.string()),
      disabled: v.boolean(),
    }),
  ),
  more: v.exactOptional(v.pipe(v.literal(true), v.description('There are more members, behind `after`'))),
  after: v.exactOptional(v.string()),
});
