import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { account, type Loaded, useLoaded, useTask } from '../state/account.ts';
import { app } from '../state/app.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Field } from '../ui/field.tsx';
import { FileField } from '../ui/file.tsx';
import { Form, fault } from '../ui/form.tsx';
import { Shown } from '../ui/loaded.tsx';

/** Sounds that the account has uploaded, for its applications to name. */
export function OwnSounds() {
  const sounds = useLoaded(() => account.peek().listSounds());
  const { playing, wrong, toggle } = usePlayer();
  return (
    <>
      <h1 tabIndex={-1}>{text.ownSounds.title}</h1>
      <p class="muted">{text.ownSounds.why}</p>
      <section class="card">
        <h2>{text.ownSounds.new}</h2>
        <Upload onAdd={sounds.change} />
      </section>
      <section class="card">
        <h2>{text.ownSounds.list}</h2>
        <Shown of={sounds}>
          {(all) =>
            all.length === 0 ? (
              <p class="muted">{text.ownSounds.none}</p>
            ) : (
              <ul class="things">
                {all.map(({ id, name, description }) => (
                  <li key={id} class="line">
                    <div class="thing">
                      <div>
                        <p class="strong mono">{name}</p>
                        {description !== name && <p class="muted">{description}</p>}
                      </div>
                    </div>
                    <div class="row">
                      <Button
                        kind="quiet"
                        label={playing === id ? text.ownSounds.stopOf(name) : text.ownSounds.playOf(name)}
                        onClick={() => toggle(id)}
                      >
                        {playing === id ? text.ownSounds.stop : text.ownSounds.play}
                      </Button>
                      <Confirm
                        action={text.ownSounds.remove}
                        label={text.ownSounds.removeOf(name)}
                        title={text.ownSounds.removeTitle(name)}
                        why={text.ownSounds.removeWhy}
                        onConfirm={() => sounds.change(() => account.peek().deleteSound(name))}
                      />
                    </div>
                  </li>
                ))}
              </ul>
            )
          }
        </Shown>
        <p role="alert" class="wrong">
          {wrong}
        </p>
      </section>
    </>
  );
}

function Upload({ onAdd }: { onAdd: Loaded<unknown>['change'] }) {
  const [name, description] = [useSignal(''), useSignal('')];
  const file = useSignal<File | undefined>(undefined);
  /** Another form is another field for a file, which cannot be emptied otherwise. */
  const round = useSignal(0);
  const task = useTask();
  const add = async () => {
    const sound = {
      name: name.value.trim(),
      description: description.value.trim() || undefined,
      // Without one Peal says what is missing, as of every other field.
      file: file.value ?? new Blob(),
    };
    const worked = await task.run(() => onAdd(() => account.peek().addSound(sound)));
    if (worked) {
      [name.value, description.value, file.value] = ['', '', undefined];
      round.value++;
    }
  };
  return (
    <Form task={task} names={['name', 'description', 'sound']} submit={text.ownSounds.add} onSubmit={add}>
      <Field
        label={text.ownSounds.name}
        name="sound-name"
        autocomplete="off"
        hint={text.ownSounds.nameHint}
        value={name.value}
        error={fault(task, 'name', text.ownSounds.name)}
        onInput={(value) => {
          name.value = value;
        }}
      />
      <Field
        label={text.ownSounds.description}
        name="sound-description"
        autocomplete="off"
        hint={text.ownSounds.descriptionHint}
        value={description.value}
        error={fault(task, 'description', text.ownSounds.description)}
        onInput={(value) => {
          description.value = value;
        }}
      />
      <FileField
        key={round.value}
        label={text.ownSounds.file}
        name="sound"
        accept="audio/mpeg,.mp3"
        hint={text.ownSounds.fileHint}
        error={fault(task, 'sound', text.ownSounds.file)}
        onChoose={(chosen) => {
          file.value = chosen;
        }}
      />
    </Form>
  );
}

/** Plays one sound at a time, until it ends, another is played, or the page goes. */
function usePlayer() {
  const playing = useSignal<string | undefined>(undefined);
  const wrong = useSignal('');
  const audio = useRef<HTMLAudioElement | undefined>(undefined);
  const stop = () => {
    audio.current?.pause();
    playing.value = undefined;
  };
  useEffect(() => stop, []);
  const toggle = async (id: string) => {
    const again = playing.value === id;
    stop();
    wrong.value = '';
    if (again) return;
    const sound = new Audio(`${app().config.api}/sounds/${encodeURIComponent(id)}.mp3`);
    audio.current = sound;
    playing.value = id;
    const mine = (work: () => void) => () => {
      if (audio.current === sound) work();
    };
    sound.onended = mine(stop);
    await sound.play().catch((error: DOMException) => {
      // What was stopped before it began is no failure.
      if (error.name === 'AbortError') return;
      mine(() => {
        stop();
        wrong.value = text.ownSounds.notPlayed;
      })();
    });
  };
  return { playing: playing.value, wrong: wrong.value, toggle };
}
