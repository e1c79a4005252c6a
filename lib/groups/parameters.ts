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

/** Most members that may be asked for at once. */
const MAX_PAGE = 1_000;

const PAGE_REASON = `must be a number from 1 to ${MAX_PAGE}`;

/** Where a list of members goes on: the `after` that the page before it gave; and how long it is. */
export const MEMBER_CURSOR = v.object({
  after: optionalForm(
    /^[A-Za-z0-9]{30}#[a-z0-9_-]{0,25}$/,
    'is not where a page ended',
    'Where the list goes on: the `after` of the page before',
  ),
  limit: v.exactOptional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,4}$/, PAGE_REASON),
      v.transform(Number),
      v.minValue(1, PAGE_REASON),
      v.maxValue(MAX_PAGE, PAGE_REASON),
      v.description('Most members of this page; without it, as many as fit'),
    ),
  ),
});

/** A new group. */
export const GROUP_ANSWER = v.object({ group: GROUP_KEY });

/** The groups of an account. */
export const GROUPS_ANSWER = v.object({
  groups: v.array(
    v.object({
      group: GROUP_KEY,
      name: v.string(),
      members: v.pipe(
        v.number(),
        v.integer(),
        v.minValue(0),
        v.description('How many entries it has; a fault may have left a few too many'),
      ),
    }),
  ),
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
