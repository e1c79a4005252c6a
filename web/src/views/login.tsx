import { useSignal } from '@preact/signals';
import { PealError, type Session } from '../../../lib/device/index.ts';
import { go } from '../router.ts';
import { ended } from '../state/app.ts';
import { messages } from '../state/messages.ts';
import { becomeDevice, isOthers, openSession, sentence, suggestName, wipeAll } from '../state/session.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Logo } from '../ui/logo.tsx';

/** Peal asks for a second factor with this status. */
const SECOND_FACTOR = 412;

/** Logging in or signing up, which makes this browser a device. */
export function Login() {
  const kind = useSignal<'logIn' | 'signUp'>('logIn');
  const [email, password, invitation, twofa] = [useSignal(''), useSignal(''), useSignal(''), useSignal('')];
  const name = useSignal(suggestName());
  const asksTwofa = useSignal(false);
  const busy = useSignal(false);
  const wrong = useSignal<string | undefined>(undefined);
  const fields = useSignal<Readonly<Record<string, string>>>({});
  /** Logged in, but another account's messages are in the way. */
  const pending = useSignal<Session | undefined>(undefined);

  async function attempt(work: () => Promise<void>): Promise<void> {
    busy.value = true;
    wrong.value = undefined;
    fields.value = {};
    try {
      await work();
    } catch (error) {
      if (error instanceof PealError) {
        asksTwofa.value ||= error.status === SECOND_FACTOR;
        fields.value = error.fields;
      }
      wrong.value = sentence(error);
    } finally {
      busy.value = false;
    }
  }

  const enter = async (session: Session) => {
    await becomeDevice(session, name.value);
    if (kind.value === 'signUp' || messages.value.length === 0) go('start');
  };

  const submit = () =>
    attempt(async () => {
      const session = await openSession(kind.value, {
        email: email.value,
        password: password.value,
        invitation: invitation.value || undefined,
        twofa: twofa.value || undefined,
        name: name.value || undefined,
      });
      if (await isOthers(session)) pending.value = session;
      else await enter(session);
    });

  const other = pending.value;
  if (other) {
    return (
      <main class="lonely">
        <Logo />
        <p role="alert">{text.login.other}</p>
        <div class="row">
          <Button
            kind="danger"
            busy={busy.value}
            onClick={() =>
              attempt(async () => {
                await wipeAll();
                await enter(other);
              })
            }
          >
            {text.login.otherWipe}
          </Button>
          <Button
            onClick={() => {
              pending.value = undefined;
            }}
          >
            {text.login.cancel}
          </Button>
        </div>
      </main>
    );
  }

  return (
    <main class="lonely">
      <Logo size={56} />
      <h1>{text.name}</h1>
      <p class="muted">{text.tagline}</p>
      {ended.value && (
        <p role="alert" class="note">
          {text.login.ended}
        </p>
      )}
      <form
        class="card"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy.value) void submit();
        }}
      >
        <fieldset class="tabs" aria-label={text.login.mode}>
          {(['logIn', 'signUp'] as const).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={kind.value === one}
              onClick={() => {
                kind.value = one;
              }}
            >
              {text.login[one]}
            </button>
          ))}
        </fieldset>
        <Field
          label={text.login.email}
          name="email"
          type="email"
          autocomplete="username"
          value={email.value}
          error={fields.value.email}
          onInput={(value) => {
            email.value = value;
          }}
          required
        />
        <Field
          label={text.login.password}
          name="password"
          type="password"
          autocomplete={kind.value === 'signUp' ? 'new-password' : 'current-password'}
          hint={kind.value === 'signUp' ? text.login.passwordHint : undefined}
          value={password.value}
          error={fields.value.password}
          onInput={(value) => {
            password.value = value;
          }}
          required
        />
        {kind.value === 'signUp' && (
          <Field
            label={text.login.invitation}
            name="invitation"
            autocomplete="off"
            hint={text.login.invitationHint}
            value={invitation.value}
            error={fields.value.invitation}
            onInput={(value) => {
              invitation.value = value;
            }}
          />
        )}
        {asksTwofa.value && (
          <Field
            label={text.login.twofa}
            name="twofa"
            autocomplete="one-time-code"
            value={twofa.value}
            error={fields.value.twofa}
            onInput={(value) => {
              twofa.value = value;
            }}
          />
        )}
        <Field
          label={text.login.device}
          name="device"
          autocomplete="off"
          hint={text.login.deviceHint}
          value={name.value}
          error={fields.value.name}
          onInput={(value) => {
            name.value = value;
          }}
        />
        <p role="alert" class="wrong">
          {wrong.value}
        </p>
        <Button type="submit" kind="primary" busy={busy.value}>
          {busy.value ? text.login.busy : text.login[kind.value]}
        </Button>
      </form>
      {messages.value.length > 0 && (
        <section class="kept">
          <p>
            {text.login.kept(messages.value.length)} {text.login.keptHow}
          </p>
          <Button kind="danger" onClick={wipeAll}>
            {text.login.wipe}
          </Button>
        </section>
      )}
    </main>
  );
}
