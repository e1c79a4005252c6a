import { signal, useSignal } from '@preact/signals';
import { go, hrefOf } from '../router.ts';
import { account, useLoaded, useTask } from '../state/account.ts';
import { api, app, identity } from '../state/app.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Shown } from '../ui/loaded.tsx';
import { NotificationPermissionPart } from './notifications.tsx';

/** The token of an app that was made here. In this tab's memory alone: who needs it later copies it now. */
const token = signal<string | undefined>(undefined);

/** The first minute: notifications, a test message, and how to send the next one from elsewhere. */
export function Start() {
  return (
    <>
      <h1>{text.start.title}</h1>
      <p class="muted">{text.start.keys}</p>
      <section class="card">
        <h2>{text.start.notify}</h2>
        <NotificationPermissionPart />
      </section>
      <section class="card">
        <h2>{text.start.test}</h2>
        <p>{text.start.testWhy}</p>
        <Test />
      </section>
      <section class="card">
        <h2>{text.start.send}</h2>
        <p>{text.start.sendWhy}</p>
        <h3>{text.start.userKey}</h3>
        <Copyable name={text.start.userKey} value={identity.value?.user ?? ''} />
        <h3>{text.start.curl}</h3>
        <Line />
      </section>
      <Button onClick={() => go('')}>{text.start.done}</Button>
    </>
  );
}

/** A message of Peal's own to this browser. It needs no app, so trying leaves none behind. */
function Test() {
  const task = useTask();
  const sent = useSignal(false);
  const test = async () => {
    const device = identity.peek()?.device;
    if (device === undefined) return;
    sent.value = false;
    sent.value = await task.run(() => account.peek().testDevice(device));
  };
  return (
    <>
      <Button kind="primary" busy={task.busy} onClick={test}>
        {text.start.testSend}
      </Button>
      <p role="status">{sent.value ? text.start.testSent : ''}</p>
      <p role="alert" class="wrong">
        {task.wrong}
      </p>
    </>
  );
}

/** The line to send with; who has no app yet gets one for it. */
function Line() {
  const apps = useLoaded(() => api.peek().listApps());
  const task = useTask();
  const make = () =>
    task.run(() =>
      apps.change(async () => {
        token.value = (await api.peek().createApp(text.start.curlApp)).token;
      }),
    );
  const curl = [
    `curl ${app().config.api}/1/messages.json`,
    `  -d token=${token.value ?? text.start.placeholder}`,
    `  -d user=${identity.value?.user ?? ''}`,
    '  -d message="Hello"',
  ].join(' \\\n');
  return (
    <>
      {token.value && <p class="note">{text.start.curlToken}</p>}
      <Copyable name={text.start.curl} value={curl} />
      {!token.value && (
        <Shown of={apps}>
          {({ length }) =>
            length > 0 ? (
              <p class="muted">
                {text.start.curlSome} <a href={hrefOf('apps')}>{text.start.toApps}</a>
              </p>
            ) : (
              <>
                <p class="muted">{text.start.curlNone}</p>
                <Button busy={task.busy} onClick={make}>
                  {text.start.curlMake}
                </Button>
              </>
            )
          }
        </Shown>
      )}
      <p role="alert" class="wrong">
        {task.wrong}
      </p>
    </>
  );
}
