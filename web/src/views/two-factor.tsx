import { useSignal } from '@preact/signals';
import { account, useLoaded, useTask } from '../state/account.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Form } from '../ui/form.tsx';
import { Shown } from '../ui/loaded.tsx';
import { QrCode } from '../ui/qr.tsx';
import { CodeField, PasswordField } from './credential-fields.tsx';

/** How far setting up has come. Secrets and codes are in the page's memory alone. */
type Step =
  | { kind: 'state' }
  | { kind: 'password' }
  | { kind: 'code'; secret: string; otpauth: string }
  | { kind: 'codes'; codes: readonly string[] };

/** The second factor: whether there is one, setting one up, and taking it away. */
export function TwoFactor() {
  const state = useLoaded(() => account.peek().twofaState());
  const step = useSignal<Step>({ kind: 'state' });
  const cancel = {
    text: text.confirm.cancel,
    do: () => {
      step.value = { kind: 'state' };
    },
  };
  const now = step.value;
  switch (now.kind) {
    case 'state':
      return (
        <Shown of={state}>
          {({ enabled, recoveryCodes }) => (
            <>
              <p class={enabled ? 'done' : undefined}>
                {enabled ? text.security.twofaOn(recoveryCodes) : text.security.twofaOff}
              </p>
              <Button
                kind={enabled ? 'plain' : 'primary'}
                onClick={() => {
                  step.value = { kind: 'password' };
                }}
              >
                {enabled ? text.security.disable : text.security.begin}
              </Button>
            </>
          )}
        </Shown>
      );
    case 'password':
      return state.value.value?.enabled ? (
        <Disable
          onCancel={cancel}
          onDone={async () => {
            await state.reload();
            cancel.do();
          }}
        />
      ) : (
        <Begin
          onCancel={cancel}
          onBegun={(begun) => {
            step.value = { kind: 'code', ...begun };
          }}
        />
      );
    case 'code':
      return (
        <Enrol
          secret={now.secret}
          otpauth={now.otpauth}
          onCancel={cancel}
          onDone={(codes) => {
            step.value = { kind: 'codes', codes };
            void state.reload();
          }}
        />
      );
    case 'codes':
      return <RecoveryCodes codes={now.codes} onDone={cancel.do} />;
  }
}

type Cancel = { text: string; do(): void };

function Begin({
  onCancel,
  onBegun,
}: {
  onCancel: Cancel;
  onBegun(begun: { secret: string; otpauth: string }): void;
}) {
  const password = useSignal('');
  const task = useTask();
  return (
    <Form
      task={task}
      names={['password']}
      submit={text.security.next}
      onCancel={onCancel}
      onSubmit={() => task.run(async () => onBegun(await account.peek().beginTwofa(password.value)))}
    >
      <p>{text.security.beginWhy}</p>
      <PasswordField value={password} task={task} />
    </Form>
  );
}

function Enrol({
  secret,
  otpauth,
  onCancel,
  onDone,
}: {
  secret: string;
  otpauth: string;
  onCancel: Cancel;
  onDone(codes: readonly string[]): void;
}) {
  const code = useSignal('');
  const task = useTask();
  return (
    <Form
      task={task}
      names={['twofa']}
      submit={text.security.confirm}
      onCancel={onCancel}
      onSubmit={() =>
        task.run(async () => onDone(await account.peek().confirmTwofa(code.value.replaceAll(' ', ''))))
      }
    >
      <p>{text.security.scan}</p>
      <QrCode label={text.security.qr} content={otpauth} />
      <h3>{text.security.byHand}</h3>
      <Copyable name={text.security.byHand} value={secret} />
      <CodeField value={code} task={task} hint={text.security.codeHint} />
    </Form>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone(): void }) {
  const list = codes.join('\n');
  const download = () => {
    const url = URL.createObjectURL(new Blob([`${list}\n`], { type: 'text/plain' }));
    const link = Object.assign(document.createElement('a'), { href: url, download: text.security.codesFile });
    link.click();
    // The browser has the blob by then.
    setTimeout(() => URL.revokeObjectURL(url));
  };
  return (
    <>
      <p class="done" role="status">
        {text.security.twofaNow}
      </p>
      <h3>{text.security.codes}</h3>
      <p>{text.security.codesWhy}</p>
      <Copyable name={text.security.codes} value={list} />
      <div class="row">
        <Button onClick={download}>{text.security.download}</Button>
        <Button kind="primary" onClick={onDone}>
          {text.security.codesKept}
        </Button>
      </div>
    </>
  );
}

function Disable({ onCancel, onDone }: { onCancel: Cancel; onDone(): Promise<void> }) {
  const [password, code] = [useSignal(''), useSignal('')];
  const task = useTask();
  return (
    <Form
      task={task}
      names={['password', 'twofa']}
      submit={text.security.disable}
      kind="danger"
      onCancel={onCancel}
      onSubmit={async () => {
        const worked = await task.run(() =>
          account.peek().disableTwofa({ password: password.value, twofa: code.value || undefined }),
        );
        if (worked) await onDone();
      }}
    >
      <p>{text.security.disableWhy}</p>
      <PasswordField value={password} task={task} />
      <CodeField value={code} task={task} hint={text.security.codeOrRecovery} />
    </Form>
  );
}
