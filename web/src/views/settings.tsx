import { useSignal } from '@preact/signals';
import { changeSettings, identity, settings } from '../state/app.ts';
import { logOut, sentence } from '../state/session.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Field, Switch } from '../ui/field.tsx';
import { EncryptionPart } from './encryption.tsx';
import { NotificationPermissionPart } from './notifications.tsx';
import { QuietDaysPart } from './quiet-days.tsx';
import { DefaultSoundPart } from './sounds.tsx';

/** What this browser does with messages, and leaving. */
export function Settings() {
  const { sounds, quiet, quietFrom, quietTo } = settings.value;
  return (
    <>
      <h1>{text.settings.title}</h1>
      <section class="card">
        <h2>{text.settings.notifications}</h2>
        <NotificationPermissionPart />
      </section>
      <section class="card">
        <h2>{text.settings.sound}</h2>
        <Switch
          label={text.settings.sounds}
          checked={sounds}
          onChange={(checked) => changeSettings({ sounds: checked })}
        />
        <DefaultSoundPart />
      </section>
      <section class="card">
        <h2>{text.settings.quiet}</h2>
        <Switch
          label={text.settings.quietOn}
          checked={quiet}
          onChange={(checked) => changeSettings({ quiet: checked })}
        />
        {quiet && (
          <div class="row">
            <Field
              label={text.settings.quietFrom}
              name="quiet-from"
              type="time"
              value={quietFrom}
              onInput={(value) => changeSettings({ quietFrom: value })}
            />
            <Field
              label={text.settings.quietTo}
              name="quiet-to"
              type="time"
              value={quietTo}
              onInput={(value) => changeSettings({ quietTo: value })}
            />
          </div>
        )}
        {quiet && <QuietDaysPart />}
        <p class="muted">{text.settings.quietWhy}</p>
      </section>
      <section class="card">
        <h2>{text.settings.encryption}</h2>
        <EncryptionPart />
      </section>
      <section class="card">
        <h2>{text.settings.account}</h2>
        <h3>{text.start.userKey}</h3>
        <Copyable name={text.start.userKey} value={identity.value?.user ?? ''} />
        <Leaving />
      </section>
    </>
  );
}

function Leaving() {
  const busy = useSignal(false);
  const wrong = useSignal('');
  const leave = async (keep: boolean) => {
    busy.value = true;
    try {
      await logOut(keep);
    } catch (error) {
      wrong.value = sentence(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <>
      <h3>{text.settings.logOutTitle}</h3>
      <p class="muted">{text.settings.keepWhy}</p>
      <Button busy={busy.value} onClick={() => leave(true)}>
        {text.settings.keep}
      </Button>
      <p class="muted">{text.settings.wipeWhy}</p>
      <Button kind="danger" busy={busy.value} onClick={() => leave(false)}>
        {text.settings.wipe}
      </Button>
      <p role="alert" class="wrong">
        {wrong.value}
      </p>
    </>
  );
}
