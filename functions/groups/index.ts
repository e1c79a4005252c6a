/** Groups of users: everything under `/1/groups`, for apps of the account that owns them. */
import { authorize } from '../../lib/accounts/app-token.ts';
import { type Group, Groups, ownedGroup } from '../../lib/groups/groups.ts';
import { type Member, Members } from '../../lib/groups/members.ts';
import { success } from '../../lib/http/answer.ts';
import type { FieldsSchema } from '../../lib/http/fields.ts';
import { type EndpointRequest, on } from '../endpoint.ts';
import { table } from '../environment.ts';
import { httpApp, serve } from '../http.ts';
import * as endpoints from './endpoints.ts';

/** JSON of members in one answer: below the 6 MiB that Lambda answers. All memos of a group could be more. Bytes. */
const PAGE_BYTES = 4 * 1024 * 1024;

const directory = table('DIRECTORY_TABLE');
const groups = new Groups(directory, Date.now);
const members = new Members(directory);

const app = httpApp();

on(app, endpoints.create, async ({ params, fields }) => {
  const { app: sender } = await authorize(directory, params.get('token'));
  return success({ group: await groups.create(sender.owner, fields().name) });
});

on(app, endpoints.list, async ({ params }) => {
  const { app: sender } = await authorize(directory, params.get('token'));
  const list = await groups.list(sender.owner);
  return success({ groups: list.map(({ key, name }) => ({ group: key, name })) });
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

on(app, endpoints.view, async (request) => {
  const group = await groupOf(request);
  const sizeOf = (member: Member) => Buffer.byteLength(JSON.stringify(view(member))) + 1;
  const page = await members.page(group, request.fields().after, PAGE_BYTES, sizeOf);
  const more = page.next === undefined ? {} : { more: true, after: page.next };
  return success({ name: group.name, users: page.members.map(view), ...more });
});

export const handler = serve(app);

/** The group of the path. */
function groupOf<Schema extends FieldsSchema>({ params, segment }: EndpointRequest<Schema>): Promise<Group> {
  return ownedGroup(directory, params.get('token'), segment('group'));
}

function view({ user, device, memo, disabled }: Member) {
  return { user, device: device ?? null, memo: memo ?? null, disabled };
}
