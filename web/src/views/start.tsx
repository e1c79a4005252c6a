import { signal, useSignal } from '@preact/signals';
import { go } from '../router.ts';
import { api, app, identity } from '../state/app.ts';
import { sentence } from '../state/session.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Copyable } from '../ui/copy.tsx';
import { NotificationPermissionPart } from './notifications.tsx';

/** The token that was made for the test message. In this tab's memory alone: who needs it later copies it now. */
const token = signal<string | undefined>(undefined);

/** The first minute: notifications, a test message, and how to send the next one from elsewhere. */
export function Start() {
  const busy = useSignal(false);
  const said = useSignal('');
  const user = identity.value?.user ?? '';

  const test = async () => {
    busy.value = true;
    said.value = '';
    try {
      token.value ??= (await api.value.createApp(text.start.testApp)).token;
      await app().api.sendMessage({
        token: token.value,
        user,
        title: text.start.testTitle,
        message: text.start.testMessage,
      });
      said.value = text.start.testSent;
    } catch (error) {
      said.value = sentence(error);
    } finally {
      busy.value = false;
    }
  };

  const curl = [
    `curl ${app().config.api}/1/messages.json`,
    `  -d token=${token.value ?? text.start.placeholder}`,
    `  -d user=${user}`,
    '  -d message="Hello"',
  ].join(' \\\n');

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
        <Button kind="primary" busy={busy.value} onClick={test}>
          {text.start.testSend}
        </Button>
        <p role="status">{said.value}</p>
      </section>
      <section class="card">
        <h2>{text.start.send}</h2>
        <p>{text.start.sendWhy}</p>
        <h3>{text.start.userKey}</h3>
        <Copyable name={text.start.userKey} value={user} />
        <h3>{text.start.curl}</h3>
        {token.value && <p class="note">{text.start.curlToken}</p>}
        <Copyable name={text.start.curl} value={curl} />
      </section>
      <Button onClick={() => go('')}>{text.start.done}</Button>
    </>
  );
}
