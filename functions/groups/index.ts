/** Groups of users: everything under `/1/groups`, for the account that owns them, by its apps and in its sessions. */
import { type Group, Groups, keysOfGroup, ownGroup } from '../../lib/groups/groups.ts';
import { type Member, Members } from '../../lib/groups/members.ts';
import { success } from '../../lib/http/answer.ts';
import type { FieldsSchema } from '../../lib/http/fields.ts';
import { LIST_BYTES, weightOf } from '../../lib/http/weight.ts';
import { type EndpointRequest, on } from '../endpoint.ts';
import { table } from '../environment.ts';
import { HttpApp, serve } from '../http.ts';
import { ownerOf } from '../session.ts';
import * as endpoints from './endpoints.ts';

const directory = table('DIRECTORY_TABLE');
const groups = new Groups(directory, Date.now);
const members = new Members(directory);

const app = new HttpApp();

on(app, endpoints.create, async ({ http, params, fields }) => {
  const { user } = await ownerOf(directory, http, params);
  return success({ group: await groups.create(user, fields().name) });
});

on(app, endpoints.list, async ({ http, params }) => {
  const { user } = await ownerOf(directory, http, params);
  const list = await groups.list(user);
  return success({ groups: list.map(({ key, name, members }) => ({ group: key, name, members })) });
});

on(app, endpoints.addUser, async (request) => {
  await members.add(await groupOf(request), request.fields());
  return success();
});

on(app, endpoints.removeUser, async (request) => {
  await members.remove(await groupOf(request), request.fields());
  return success();
});

on(app, endpoints.disableUser, async (request) => {
  await members.setDisabled(await groupOf(request), request.fields(), true);
  return success();
});

on(app, endpoints.enableUser, async (request) => {
  await members.setDisabled(await groupOf(request), request.fields(), false);
  return success();
});

on(app, endpoints.rename, async (request) => {
  await groups.rename(await groupOf(request), request.fields().name);
  return success();
});

on(app, endpoints.remove, async (request) => {
  await groups.remove(await groupOf(request, true));
  return success();
});

on(app, endpoints.view, async (request) => {
  const group = await groupOf(request);
  const { after, limit } = request.fields();
  const page = await members.page(group, after, limit, LIST_BYTES, (member) => weightOf(view(member)) + 1);
  const more = page.next === undefined ? {} : { more: true, after: page.next };
  return success({ name: group.name, users: page.members.map(view), ...more });
});

export const handler = serve(app);

/** The group of the path. @param deleting whether it is to be deleted */
async function groupOf<Schema extends FieldsSchema>(
  { http, params, segment }: EndpointRequest<Schema>,
  deleting = false,
): Promise<Group> {
  const key = segment('group');
  return ownGroup(await ownerOf(directory, http, params, keysOfGroup(key)), key, deleting);
}

function view({ user, device, memo, disabled }: Member) {
  return { user, device: device ?? null, memo: memo ?? null, disabled };
}
