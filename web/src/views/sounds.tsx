import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import type { SoundInfo } from '../../../lib/device/account-api.ts';
import { changeSettings, settings } from '../state/app.ts';
import { ownSounds, playDefault } from '../state/sounds.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';

/** What a message sounds like whose sender did not say. */
export function DefaultSoundPart() {
  const id = useId();
  const own = useSignal<readonly SoundInfo[]>([]);
  const mute = useSignal(false);
  useEffect(() => {
    // Without a connection, the built-in ones can be chosen all the same.
    ownSounds().then(
      (sounds) => {
        own.value = sounds;
      },
      () => undefined,
    );
  }, []);
  const play = async () => {
    mute.value = !(await playDefault().catch(() => false));
  };
  const { sound } = settings.value;
  const builtIn = Object.entries(text.sounds);
  const known = sound in text.sounds || own.value.some((one) => one.id === sound);
  return (
    <div class="field">
      <label for={id}>{text.settings.defaultSound}</label>
      <div class="with-button">
        <select
          id={id}
          value={sound}
          onChange={(event) => changeSettings({ sound: event.currentTarget.value })}
        >
          <optgroup label={text.settings.builtIn}>
            {builtIn.map(([name, said]) => (
              <option key={name} value={name}>
                {said}
              </option>
            ))}
          </optgroup>
          {own.value.length > 0 && (
            <optgroup label={text.settings.own}>
              {own.value.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.description || one.name}
                </option>
              ))}
            </optgroup>
          )}
          {!known && <option value={sound}>{text.settings.own}</option>}
        </select>
        <Button label={`${text.settings.play}: ${text.settings.defaultSound}`} onClick={play}>
          {text.settings.play}
        </Button>
      </div>
      <p role="alert" class="wrong">
        {mute.value && text.settings.mute}
      </p>
    </div>
  );
}
