import type { ComponentChildren } from 'preact';
import type { Loaded } from '../state/account.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';

/** What a page shows of the account; until it is there, that it is on its way, or that it did not come. */
export function Shown<T>({ of, children }: { of: Loaded<T>; children(value: T): ComponentChildren }) {
  const value = of.value.value;
  return (
    <>
      {of.wrong.value ? (
        <div class="note" role="alert">
          <p>{of.wrong.value}</p>
          <Button onClick={of.reload}>{text.failed.retry}</Button>
        </div>
      ) : (
        value === undefined && (
          <p role="status" class="muted">
            {text.login.busy}
          </p>
        )
      )}
      {value !== undefined && children(value)}
    </>
  );
}
