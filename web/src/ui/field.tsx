import { useId } from 'preact/hooks';

export interface FieldProps {
  label: string;
  name: string;
  value: string;
  onInput(value: string): void;
  type?: 'email' | 'password' | 'text' | 'time';
  hint?: string | undefined;
  error?: string | undefined;
  autocomplete?: string;
  required?: boolean;
}

/** A labelled text field; what is wrong with it is said beside it and by screen readers. */
export function Field({ label, value, onInput, hint, error, type = 'text', ...rest }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...rest}
        id={id}
        // Preact's types join each type to the role it may have; none is given here.
        type={type as 'text'}
        value={value}
        aria-invalid={error !== undefined}
        aria-describedby={hint || error ? `${id}-more` : undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {(error || hint) && (
        <p id={`${id}-more`} class={error ? 'wrong' : 'muted'}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

export interface SwitchProps {
  label: string;
  checked: boolean;
  onChange(checked: boolean): void;
}

export function Switch({ label, checked, onChange }: SwitchProps) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={checked}
        aria-checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
