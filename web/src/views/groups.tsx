import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { GroupInfo } from '../../../lib/device/account-api.ts';
import { account, type Loaded, useLoaded, useTask } from '../state/account.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Field } from '../ui/field.tsx';
import { Form, fault } from '../ui/form.tsx';
import { Shown } from '../ui/loaded.tsx';
import { Members } from './members.tsx';
import { Rename } from './rename.tsx';

/** Groups of users, who are sent to by one key. */
export function Groups() {
  const groups = useLoaded(() => account.peek().listGroups());
  /** Key of the group whose members are shown. */
  const open = useSignal<string | undefined>(undefined);
  const name = useSignal('');
  const task = useTask();

  const create = async () => {
    const worked = await task.run(() =>
      groups.change(async () => {
        open.value = await account.peek().createGroup(name.value.trim());
      }),
    );
    if (worked) name.value = '';
  };

  return (
    <>
      <h1 tabIndex={-1}>{text.groups.title}</h1>
      <p class="muted">{text.groups.why}</p>
      <section class="card">
        <h2>{text.groups.new}</h2>
        <Form task={task} names={['name']} submit={text.groups.create} onSubmit={create}>
          <Field
            label={text.groups.name}
            name="group-name"
            autocomplete="off"
            hint={text.groups.nameHint}
            value={name.value}
            error={fault(task, 'name', text.groups.name)}
            onInput={(value) => {
              name.value = value;
            }}
          />
        </Form>
      </section>
      <section class="card">
        <h2>{text.groups.list}</h2>
        <Shown of={groups}>
          {(all) =>
            all.length === 0 ? (
              <p class="muted">{text.groups.none}</p>
            ) : (
              <ul class="things">
                {all.map((group) => (
                  <One
                    key={group.group}
                    group={group}
                    groups={groups}
                    open={open.value === group.group}
                    onToggle={() => {
                      open.value = open.peek() === group.group ? undefined : group.group;
                    }}
                  />
                ))}
              </ul>
            )
          }
        </Shown>
      </section>
    </>
  );
}

interface OneProps {
  group: GroupInfo;
  groups: Loaded<unknown>;
  open: boolean;
  onToggle(): void;
}

function One({ group: { group, name, members }, groups, open, onToggle }: OneProps) {
  const renaming = useSignal(false);
  const id = useId();

  return (
    <li>
      <div class="thing">
        <div>
          <p class="strong">{name}</p>
          <p class="muted">{text.groups.count(members)}</p>
        </div>
      </div>
      <Copyable name={text.groups.key(name)} value={group} />
      {renaming.value ? (
        <Rename
          name={name}
          label={text.groups.newNameOf(name)}
          hint={text.groups.nameHint}
          subject={text.groups.name}
          submit={text.groups.save}
          onRename={(wanted) => groups.change(() => account.peek().renameGroup(group, wanted))}
          onEnd={() => {
            renaming.value = false;
          }}
        />
      ) : (
        <div class="row">
          <button
            type="button"
            class="button quiet"
            aria-label={text.groups.membersOf(name)}
            aria-expanded={open}
            aria-controls={open ? id : undefined}
            onClick={onToggle}
          >
            {text.groups.members}
          </button>
          <Button
            kind="quiet"
            label={text.groups.renameOf(name)}
            onClick={() => {
              renaming.value = true;
            }}
          >
            {text.groups.rename}
          </Button>
          <Confirm
            action={text.groups.remove}
            label={text.groups.removeOf(name)}
            title={text.groups.removeTitle(name)}
            why={text.groups.removeWhy}
            onConfirm={() => groups.change(() => account.peek().deleteGroup(group))}
          />
        </div>
      )}
      {open && (
        <section id={id} class="inner" aria-label={text.groups.membersOf(name)}>
          <Members group={group} onChange={groups.reload} />
        </section>
      )}
    </li>
  );
}
