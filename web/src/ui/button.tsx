import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  children: ComponentChildren;
  kind?: 'danger' | 'plain' | 'primary' | 'quiet';
  type?: 'button' | 'submit';
  /** Where the text alone does not say what it is about. */
  label?: string;
  busy?: boolean;
  onClick?(): void;
}

export function Button({ children, kind = 'plain', type = 'button', label, busy, onClick }: ButtonProps) {
  return (
    <button
      type={type}
      class={`button ${kind}`}
      aria-label={label}
      // Stays focusable while it works, so that nobody loses their place.
      aria-disabled={busy}
      aria-busy={busy}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.();
      }}
    >
      {children}
    </button>
  );
}
