import * as v from 'valibot';
import {
  GROUP,
  GROUP_ANSWER,
  GROUP_KEY,
  GROUPS_ANSWER,
  MEMBER,
  MEMBER_CURSOR,
  MEMBERS_ANSWER,
  NEW_MEMBER,
} from '../../lib/groups/parameters.ts';
import { endpoint, NOTHING } from '../endpoint.ts';

const segments = { group: GROUP_KEY };

export const create = endpoint({
  method: 'POST',
  path: 'groups',
  summary: 'Makes a group',
  by: 'owner',
  params: GROUP,
  answer: GROUP_ANSWER,
});

export const list = endpoint({
  method: 'GET',
  path: 'groups',
  summary: 'Lists the groups of the account',
  by: 'owner',
  params: v.object({}),
  answer: GROUPS_ANSWER,
});

export const view = endpoint({
  method: 'GET',
  path: 'groups/{group}',
  summary: 'Says who is in a group',
  by: 'owner',
  segments,
  params: MEMBER_CURSOR,
  answer: MEMBERS_ANSWER,
});

export const addUser = endpoint({
  method: 'POST',
  path: 'groups/{group}/add_user',
  summary: 'Adds a user to a group, with all devices or with one',
  by: 'owner',
  segments,
  params: NEW_MEMBER,
  answer: NOTHING,
});

export const removeUser = endpoint({
  method: 'POST',
  path: 'groups/{group}/remove_user',
  aliases: ['groups/{group}/delete_user'],
  summary: 'Removes a user, or one device of a user, from a group',
  by: 'owner',
  segments,
  params: MEMBER,
  answer: NOTHING,
});

export const disableUser = endpoint({
  method: 'POST',
  path: 'groups/{group}/disable_user',
  summary: 'Keeps a user in a group, but sends nothing',
  by: 'owner',
  segments,
  params: MEMBER,
  answer: NOTHING,
});

export const enableUser = endpoint({
  method: 'POST',
  path: 'groups/{group}/enable_user',
  summary: 'Sends to a user of a group again',
  by: 'owner',
  segments,
  params: MEMBER,
  answer: NOTHING,
});

export const rename = endpoint({
  method: 'POST',
  path: 'groups/{group}/rename',
  summary: 'Gives a group another name',
  by: 'owner',
  segments,
  params: GROUP,
  answer: NOTHING,
});

export const remove = endpoint({
  method: 'POST',
  path: 'groups/{group}/delete',
  summary: 'Deletes a group',
  description: 'At once nobody can send to it any more. If it fails, repeat it.',
  by: 'owner',
  segments,
  params: NOTHING,
  answer: NOTHING,
});
