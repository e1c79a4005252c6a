/** Fields for what proves who somebody is. */
import type { Signal } from '@preact/signals';
import type { Task } from '../state/account.ts';
import { text } from '../text.ts';
import { Field } from '../ui/field.tsx';
import { fault } from '../ui/form.tsx';

interface FieldOf {
  value: Signal<string>;
  /** What may have found it wrong. */
  task: Task;
}

export function PasswordField({ value, task }: FieldOf) {
  return (
    <Field
      label={text.security.current}
      name="password"
      type="password"
      autocomplete="current-password"
      value={value.value}
      error={fault(task, 'password', text.security.current)}
      onInput={(typed) => {
        value.value = typed;
      }}
    />
  );
}

export function CodeField({ value, task, hint }: FieldOf & { hint?: string }) {
  return (
    <Field
      label={text.security.code}
      name="twofa"
      autocomplete="one-time-code"
      hint={hint}
      value={value.value}
      error={fault(task, 'twofa', text.security.code)}
      onInput={(typed) => {
        value.value = typed;
      }}
    />
  );
}
