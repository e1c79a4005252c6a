import { useSignal } from '@preact/signals';
import { encryptionKey, enterKey, forgetKey } from '../state/encryption.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';

/** The key that opens what senders encrypted: entered or removed, never shown. */
export function EncryptionPart() {
  const typed = useSignal('');
  const wrong = useSignal(false);
  if (encryptionKey.value) {
    return (
      <>
        <p class="done">{text.settings.encryptionKept}</p>
        <p class="muted">{text.settings.encryptionWhy}</p>
        <Button onClick={forgetKey}>{text.settings.encryptionRemove}</Button>
      </>
    );
  }
  const save = async (event: Event) => {
    event.preventDefault();
    wrong.value = !(await enterKey(typed.value));
    if (!wrong.value) typed.value = '';
  };
  return (
    <>
      <p class="muted">{text.settings.encryptionWhy}</p>
      <form class="inline" onSubmit={save}>
        <Field
          label={text.settings.encryptionKey}
          name="encryption-key"
          type="password"
          autocomplete="off"
          value={typed.value}
          onInput={(value) => {
            typed.value = value;
          }}
          error={wrong.value ? text.settings.encryptionWrong : undefined}
        />
        <Button type="submit">{text.settings.encryptionSave}</Button>
      </form>
    </>
  );
}
