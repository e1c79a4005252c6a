import { useSignal } from '@preact/signals';
import type { SessionInfo } from '../../../lib/device/account-api.ts';
import { CodeNeededError } from '../../../lib/device/index.ts';
import { account, type Loaded, useLoaded, useTask } from '../state/account.ts';
import { text } from '../text.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Field } from '../ui/field.tsx';
import { Form, fault } from '../ui/form.tsx';
import { Shown } from '../ui/loaded.tsx';
import { Parts } from '../ui/parts.tsx';
import { dateOf } from '../ui/times.ts';
import { CodeField, PasswordField } from './credential-fields.tsx';
import { TwoFactor } from './two-factor.tsx';

/** Who gets into the account: the password, the second factor, and who is in now. */
export function Security() {
  const sessions = useLoaded(() => account.peek().listSessions());
  return (
    <>
      <h1 tabIndex={-1}>{text.security.title}</h1>
      <section class="card">
        <h2>{text.security.twofa}</h2>
        <TwoFactor />
      </section>
      <section class="card">
        <h2>{text.security.password}</h2>
        <Password onChanged={sessions.reload} />
      </section>
      <section class="card">
        <h2>{text.security.sessions}</h2>
        <p class="muted">{text.security.sessionsWhy}</p>
        <Shown of={sessions}>{(all) => <Sessions all={all} onChange={sessions.change} />}</Shown>
      </section>
    </>
  );
}

function Password({ onChanged }: { onChanged(): Promise<void> }) {
  const [password, newPassword, twofa] = [useSignal(''), useSignal(''), useSignal('')];
  const asksCode = useSignal(false);
  const done = useSignal(false);
  const task = useTask();

  const change = async () => {
    done.value = false;
    const worked = await task.run(async () => {
      try {
        await account.peek().changePassword({
          password: password.value,
          newPassword: newPassword.value,
          twofa: twofa.value || undefined,
        });
      } catch (error) {
        asksCode.value ||= error instanceof CodeNeededError;
        throw error;
      }
    });
    if (!worked) return;
    for (const field of [password, newPassword, twofa]) field.value = '';
    asksCode.value = false;
    done.value = true;
    await onChanged();
  };

  return (
    <Form
      task={task}
      names={['password', 'new_password', 'twofa']}
      submit={text.security.change}
      onSubmit={change}
    >
      <PasswordField value={password} task={task} />
      <Field
        label={text.security.newPassword}
        name="new-password"
        type="password"
        autocomplete="new-password"
        hint={text.login.passwordHint}
        value={newPassword.value}
        error={fault(task, 'new_password', text.security.newPassword)}
        onInput={(value) => {
          newPassword.value = value;
        }}
      />
      {asksCode.value && <CodeField value={twofa} task={task} />}
      <p role="status" class="done">
        {done.value ? text.security.changed : ''}
      </p>
    </Form>
  );
}

function Sessions({ all, onChange }: { all: SessionInfo[]; onChange: Loaded<unknown>['change'] }) {
  return (
    <>
      <ul class="things">
        {all.map(({ id, name, current, created_at: createdAt, seen_at: seenAt }) => (
          <li key={id} class="line">
            <div class="thing">
              <div>
                <p class="strong">
                  {name} {current && <span class="badge p1">{text.security.here}</span>}
                </p>
                <Parts of={[text.security.since(dateOf(createdAt)), text.security.seen(dateOf(seenAt))]} />
              </div>
            </div>
            {!current && (
              <Confirm
                action={text.security.end}
                label={text.security.endOf(name)}
                title={text.security.endTitle(name)}
                why={text.security.endWhy}
                onConfirm={() => onChange(() => account.peek().revokeSession(id))}
              />
            )}
          </li>
        ))}
      </ul>
      {all.length > 1 && (
        <Confirm
          kind="plain"
          action={text.security.endOthers}
          label={text.security.endOthers}
          title={text.security.endOthersTitle}
          why={text.security.endWhy}
          onConfirm={() => onChange(() => account.peek().revokeOtherSessions())}
        />
      )}
    </>
  );
}
