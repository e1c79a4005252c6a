import { useId } from 'preact/hooks';

export interface FileFieldProps {
  label: string;
  name: string;
  /** Types of files, as `accept` has them. */
  accept: string;
  hint?: string;
  error?: string | undefined;
  onChoose(file: File | undefined): void;
}

/** A labelled field for a file. */
export function FileField({ label, name, accept, hint, error, onChoose }: FileFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        name={name}
        accept={accept}
        aria-invalid={error !== undefined}
        aria-describedby={hint || error ? `${id}-more` : undefined}
        onChange={(event) => onChoose(event.currentTarget.files?.[0])}
      />
      {(error || hint) && (
        <p id={`${id}-more`} class={error ? 'wrong' : 'muted'}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
