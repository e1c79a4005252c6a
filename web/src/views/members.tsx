import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { GroupMember, MemberPage } from '../../../lib/device/account-api.ts';
import { account, type Loaded, type Task, useLoaded, useTask } from '../state/account.ts';
import { identity } from '../state/app.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Field } from '../ui/field.tsx';
import { Form, fault } from '../ui/form.tsx';
import { Shown } from '../ui/loaded.tsx';
import { Parts } from '../ui/parts.tsx';

/** Members that are asked for at once. */
const PAGE = 100;

/** The members of a group: as many pages of them as somebody wanted to see. @param onChange told of every change */
export function Members({ group, onChange }: { group: string; onChange(): Promise<void> }) {
  const wanted = useRef(PAGE);
  const members = useLoaded(() => load(group, wanted.current));
  const more = useTask();
  const change: Loaded<unknown>['change'] = async (work) => {
    try {
      await members.change(work);
    } finally {
      await onChange();
    }
  };
  return (
    <>
      <Shown of={members}>
        {({ members: all, next }) => (
          <>
            {all.length === 0 ? (
              <p class="muted">{text.members.none}</p>
            ) : (
              <ul class="things">
                {all.map((member) => (
                  <One
                    key={`${member.user} ${member.device ?? ''}`}
                    group={group}
                    member={member}
                    onChange={change}
                  />
                ))}
              </ul>
            )}
            {next !== undefined && (
              <Button
                busy={more.busy}
                onClick={() =>
                  more.run(() => {
                    wanted.current += PAGE;
                    return members.reload();
                  })
                }
              >
                {text.members.more}
              </Button>
            )}
          </>
        )}
      </Shown>
      <Add group={group} onChange={change} />
    </>
  );
}

/** The first members of a group, in as many requests as that takes. */
async function load(group: string, count: number): Promise<MemberPage> {
  const members: GroupMember[] = [];
  for (let after: string | undefined; ; ) {
    const page = await account
      .peek()
      .listMembers(group, { after, limit: Math.min(count - members.length, 1000) });
    members.push(...page.members);
    if (page.next === undefined || members.length >= count) return { ...page, members };
    after = page.next;
  }
}

interface OneProps {
  group: string;
  member: GroupMember;
  onChange: Loaded<unknown>['change'];
}

function One({ group, member: { user, device, memo, disabled }, onChange }: OneProps) {
  const toggle = useTask();
  const ref = { user, device: device ?? undefined };
  const who = memo ?? user;
  return (
    <li class="line">
      <div class="thing">
        <div>
          <p class="strong">
            {memo ?? <span class="mono">{user}</span>}{' '}
            {user === identity.value?.user && <span class="badge p1">{text.members.you}</span>}{' '}
            {disabled && <span class="badge">{text.members.off}</span>}
          </p>
          {memo !== null && <p class="muted mono">{user}</p>}
          <Parts of={[device === null ? text.members.allDevices : text.members.oneDevice(device)]} />
        </div>
      </div>
      <div class="row">
        <Button
          kind="quiet"
          busy={toggle.busy}
          label={disabled ? text.members.enableOf(who) : text.members.disableOf(who)}
          onClick={() =>
            toggle.run(() => onChange(() => account.peek().setMemberEnabled(group, ref, disabled)))
          }
        >
          {disabled ? text.members.enable : text.members.disable}
        </Button>
        <Confirm
          action={text.members.remove}
          label={text.members.removeOf(who)}
          title={text.members.removeTitle(who)}
          why={text.members.removeWhy}
          onConfirm={() => onChange(() => account.peek().removeMember(group, ref))}
        />
      </div>
      <p role="alert" class="wrong">
        {toggle.wrong}
      </p>
    </li>
  );
}

function Add({ group, onChange }: Pick<OneProps, 'group' | 'onChange'>) {
  const [user, device, memo] = [useSignal(''), useSignal(''), useSignal('')];
  const task = useTask();

  const add = async () => {
    const member = {
      user: user.value.trim(),
      device: device.value.trim() || undefined,
      memo: memo.value.trim() || undefined,
    };
    if (!(await task.run(() => onChange(() => account.peek().addMember(group, member))))) return;
    for (const field of [user, device, memo]) field.value = '';
  };

  return (
    <Form
      task={task}
      names={['user', 'device', 'memo']}
      submit={text.members.add}
      kind="plain"
      onSubmit={add}
    >
      {(
        [
          ['user', user, text.members.user, text.members.userHint],
          ['device', device, text.members.device, text.members.deviceHint],
          ['memo', memo, text.members.memo, text.members.memoHint],
        ] as const
      ).map(([name, value, label, hint]) => (
        <Field
          key={name}
          label={label}
          name={`member-${name}`}
          autocomplete="off"
          hint={hint}
          value={value.value}
          error={said(task, name, label)}
          onInput={(typed) => {
            value.value = typed;
          }}
        />
      ))}
    </Form>
  );
}

/** What is wrong with a field: Peal's own sentence where there is one fault alone, since the reason is just "invalid". */
function said(task: Task, name: string, label: string): string | undefined {
  const alone = Object.keys(task.fields).length === 1 && name in task.fields;
  return alone ? `${task.wrong.slice(0, 1).toUpperCase()}${task.wrong.slice(1)}.` : fault(task, name, label);
}
