import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Task } from '../state/account.ts';
import { Button } from './button.tsx';

export interface FormProps {
  task: Task;
  /** The parameters that have a field here: what is wrong with them is said there. */
  names: readonly string[];
  submit: string;
  kind?: 'danger' | 'plain' | 'primary';
  onSubmit(): void;
  /** For a form that came in the place of a button: it goes on where the button had the focus. */
  onCancel?: { text: string; do(): void };
  children: ComponentChildren;
}

/** Fields that are sent together. After a refusal the first field that is wrong is in focus, which reads it out. */
export function Form({ task, names, submit, kind = 'primary', onSubmit, onCancel, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const named = names.some((name) => name in task.fields);
  useLayoutEffect(() => {
    if (onCancel) form.current?.querySelector('input')?.focus();
  }, []);
  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [task.fields]);
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <p role="alert" class="wrong">
        {named ? '' : task.wrong}
      </p>
      <div class="row">
        <Button type="submit" kind={kind} busy={task.busy}>
          {submit}
        </Button>
        {onCancel && <Button onClick={onCancel.do}>{onCancel.text}</Button>}
      </div>
    </form>
  );
}

/** What is wrong with a field, as a sentence. */
export function fault({ fields }: Task, name: string, label: string): string | undefined {
  const reason = fields[name];
  if (reason === undefined) return undefined;
  // Pushover's reasons are no ends of sentences all of them.
  return `${label} ${reason.startsWith('invalid') ? 'is ' : ''}${reason}.`;
}
