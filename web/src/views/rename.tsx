import { useSignal } from '@preact/signals';
import { useTask } from '../state/account.ts';
import { text } from '../text.ts';
import { Field } from '../ui/field.tsx';
import { Form, fault } from '../ui/form.tsx';

export interface RenameProps {
  /** What it is called now. */
  name: string;
  /** Of the field. */
  label: string;
  hint: string;
  /** What a refusal is about: the beginning of its sentence. */
  subject: string;
  submit: string;
  onRename(name: string): Promise<unknown>;
  /** It has another name, or keeps its own. */
  onEnd(): void;
}

/** Asks for another name, in the place of the buttons of what is renamed. */
export function Rename({ name, label, hint, subject, submit, onRename, onEnd }: RenameProps) {
  const wanted = useSignal(name);
  const task = useTask();
  const rename = async () => {
    if (await task.run(() => onRename(wanted.value.trim()))) onEnd();
  };
  return (
    <Form
      task={task}
      names={['name']}
      submit={submit}
      onSubmit={rename}
      onCancel={{ text: text.confirm.cancel, do: onEnd }}
    >
      <Field
        label={label}
        name="new-name"
        autocomplete="off"
        hint={hint}
        value={wanted.value}
        error={fault(task, 'name', subject)}
        onInput={(value) => {
          wanted.value = value;
        }}
      />
    </Form>
  );
}
