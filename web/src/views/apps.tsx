import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { AppInfo } from '../../../lib/device/index.ts';
import { makeIcon } from '../platform/icon.ts';
import { account, type Loaded, useLoaded, useTask } from '../state/account.ts';
import { api } from '../state/app.ts';
import { text } from '../text.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Field } from '../ui/field.tsx';
import { Form, fault } from '../ui/form.tsx';
import { Shown } from '../ui/loaded.tsx';
import { dateOf } from '../ui/times.ts';

/** A token that was just made. In the page's memory alone: it is gone with the page. */
interface NewToken {
  app: string;
  name: string;
  token: string;
}

const byName = (a: AppInfo, b: AppInfo) => a.name.localeCompare(b.name) || a.created_at - b.created_at;

/** What may send: each with a token of its own. */
export function Apps() {
  const apps = useLoaded(async () => (await api.peek().listApps()).sort(byName));
  const made = useSignal<NewToken | undefined>(undefined);
  const name = useSignal('');
  const task = useTask();

  const create = async () => {
    const called = name.value.trim();
    const worked = await task.run(() =>
      apps.change(async () => {
        const { id, token } = await api.peek().createApp(called);
        made.value = { app: id, name: called, token };
      }),
    );
    if (worked) name.value = '';
  };

  const rotate = async ({ id, name: called }: AppInfo) => {
    made.value = { app: id, name: called, token: await api.peek().rotateApp(id) };
  };

  const remove = async ({ id }: AppInfo) => {
    await apps.change(() => api.peek().deleteApp(id));
    if (made.value?.app === id) made.value = undefined;
  };

  return (
    <>
      <h1 tabIndex={-1}>{text.apps.title}</h1>
      <p class="muted">{text.apps.why}</p>
      <section class="card">
        <h2>{text.apps.new}</h2>
        <Form task={task} names={['name']} submit={text.apps.create} onSubmit={create}>
          <Field
            label={text.apps.name}
            name="app-name"
            autocomplete="off"
            hint={text.apps.nameHint}
            value={name.value}
            error={fault(task, 'name', text.apps.name)}
            onInput={(value) => {
              name.value = value;
            }}
          />
        </Form>
      </section>
      {made.value && (
        <FreshToken
          key={made.value.token}
          made={made.value}
          onKept={() => {
            made.value = undefined;
          }}
        />
      )}
      <section class="card">
        <h2>{text.apps.list}</h2>
        <Shown of={apps}>
          {(all) =>
            all.length === 0 ? (
              <p class="muted">{text.apps.none}</p>
            ) : (
              <ul class="things">
                {all.map((app) => (
                  <One
                    key={app.id}
                    app={app}
                    onRotate={() => rotate(app)}
                    onRemove={() => remove(app)}
                    onIcon={apps.change}
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

/** A token, this once. It comes into focus, and so into sight: what made it may be far below. */
function FreshToken({ made: { name, token }, onKept }: { made: NewToken; onKept(): void }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <section class="card fresh">
      <h2 ref={title} tabIndex={-1}>
        {text.apps.tokenOf(name)}
      </h2>
      <p>{text.apps.tokenOnce}</p>
      <Copyable name={text.apps.token} value={token} />
      <Button onClick={onKept}>{text.apps.tokenKept}</Button>
    </section>
  );
}

interface OneProps {
  app: AppInfo;
  onRotate(): Promise<void>;
  onRemove(): Promise<void>;
  onIcon: Loaded<unknown>['change'];
}

function One({ app: { id, name, icon, created_at: createdAt }, onRotate, onRemove, onIcon }: OneProps) {
  const task = useTask();
  const picker = useId();
  const change = (work: () => Promise<unknown>) => task.run(() => onIcon(work));
  const setIcon = async (file: File) => account.peek().setIcon(id, await makeIcon(file));
  return (
    <li>
      <div class="thing">
        {/* Another icon is another image, with no memory of the last one. */}
        <Avatar key={icon} name={name} aid={Number(id)} icon={icon} />
        <div>
          <p class="strong">{name}</p>
          <p class="muted">{text.apps.since(dateOf(createdAt))}</p>
        </div>
      </div>
      <div class="row pairs">
        <input
          id={picker}
          class="hidden-file"
          type="file"
          accept="image/*"
          aria-label={text.apps.iconOf(name)}
          onChange={(event) => {
            const input = event.currentTarget;
            const file = input.files?.[0];
            // So that the same file may be chosen again.
            if (file) void change(() => setIcon(file)).then(() => (input.value = ''));
          }}
        />
        <label for={picker} class="button quiet" aria-hidden="true">
          {text.apps.icon}
        </label>
        {icon !== 'default' && (
          <Button
            kind="quiet"
            busy={task.busy}
            label={text.apps.noIconOf(name)}
            onClick={() => change(() => account.peek().deleteIcon(id))}
          >
            {text.apps.noIcon}
          </Button>
        )}
        <Confirm
          action={text.apps.rotate}
          label={text.apps.rotateOf(name)}
          title={text.apps.rotateTitle(name)}
          why={text.apps.rotateWhy}
          onConfirm={onRotate}
        />
        <Confirm
          action={text.apps.remove}
          label={text.apps.removeOf(name)}
          title={text.apps.removeTitle(name)}
          why={text.apps.removeWhy}
          onConfirm={onRemove}
        />
      </div>
      <p role="alert" class="wrong">
        {task.wrong}
      </p>
    </li>
  );
}
