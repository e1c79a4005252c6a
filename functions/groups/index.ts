/** Groups of users: everything under `/1/groups`, for apps of the account that owns them. */
import { authorize } from '../../lib/accounts/app-token.ts';
import { Groups, ownedGroup } from '../../lib/groups/groups.ts';
import { type Member, Members } from '../../lib/groups/members.ts';
import { groupName, memberCursor, memberFields } from '../../lib/groups/parameters.ts';
import { success } from '../../lib/http/answer.ts';
import { readParams } from '../../lib/http/body.ts';
import { table } from '../environment.ts';
import { type HttpContext, httpApp, path, serve, source } from '../http.ts';

/** No parameter here comes near this. */
const BODY = { maxBytes: 64 * 1024 };

/** JSON of members in one answer: below the 6 MiB that Lambda answers. All memos of a group could be more. Bytes. */
const PAGE_BYTES = 4 * 1024 * 1024;

const directory = table('DIRECTORY_TABLE');
const groups = new Groups(directory, Date.now);
const members = new Members(directory);

const app = httpApp();

const params = (c: HttpContext) => readParams(source(c), BODY);
const keyOf = (c: HttpContext) => (c.req.param('group') ?? '').replace(/\.json$/, '');

app.on('POST', path('groups'), async (c) => {
  const given = await params(c);
  const { app: sender } = await authorize(directory, given.get('token'));
  return success({ group: await groups.create(sender.owner, groupName(given)) });
});

app.on('GET', path('groups'), async (c) => {
  const { app: sender } = await authorize(directory, (await params(c)).get('token'));
  const list = await groups.list(sender.owner);
  return success({ groups: list.map(({ key, name }) => ({ group: key, name })) });
});

app.on('POST', path('groups/:group/add_user'), async (c) => {
  const { group, member } = await namedMember(c);
  await members.add(group, member);
  return success();
});

for (const name of ['remove_user', 'delete_user']) {
  app.on('POST', path(`groups/:group/${name}`), async (c) => {
    const { group, member } = await namedMember(c);
    await members.remove(group, member);
    return success();
  });
}

for (const [name, disabled] of [
  ['disable_user', true],
  ['enable_user', false],
] as const) {
  app.on('POST', path(`groups/:group/${name}`), async (c) => {
    const { group, member } = await namedMember(c);
    await members.setDisabled(group, member, disabled);
    return success();
  });
}

app.on('POST', path('groups/:group/rename'), async (c) => {
  const given = await params(c);
  const group = await ownedGroup(directory, given.get('token'), keyOf(c));
  await groups.rename(group, groupName(given));
  return success();
});

// The last segment has the key and, like every path, may have the suffix.
app.get('/1/groups/:group', async (c) => {
  const given = await params(c);
  const group = await ownedGroup(directory, given.get('token'), keyOf(c));
  const sizeOf = (member: Member) => Buffer.byteLength(JSON.stringify(view(member))) + 1;
  const page = await members.page(group, memberCursor(given), PAGE_BYTES, sizeOf);
  const more = page.next === undefined ? {} : { more: true, after: page.next };
  return success({ name: group.name, users: page.members.map(view), ...more });
});

export const handler = serve(app);

/** The group of the path, and the member that the parameters name. */
async function namedMember(c: HttpContext) {
  const given = await params(c);
  const group = await ownedGroup(directory, given.get('token'), keyOf(c));
  return { group, member: memberFields(given) };
}

function view({ user, device, memo, disabled }: Member) {
  return { user, device: device ?? null, memo: memo ?? null, disabled };
}
