import { useSignal } from '@preact/signals';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useTask } from '../state/account.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';

export interface ConfirmProps {
  /** What the button says that asks for it. */
  action: string;
  /** The same where it does not say what it is about. */
  label: string;
  title: string;
  /** What will happen, and whether it can be undone. */
  why: string;
  kind?: 'danger' | 'plain' | 'quiet';
  onConfirm(): Promise<unknown>;
}

/** A button for what cannot be undone: it asks first, and says in the question what did not work. */
export function Confirm({ action, label, title, why, kind = 'quiet', onConfirm }: ConfirmProps) {
  const open = useSignal(false);
  return (
    <>
      <Button
        kind={kind}
        label={label}
        onClick={() => {
          open.value = true;
        }}
      >
        {action}
      </Button>
      {open.value && (
        <Question
          {...{ action, title, why, onConfirm }}
          onClose={() => {
            open.value = false;
          }}
        />
      )}
    </>
  );
}

function Question({
  action,
  title,
  why,
  onConfirm,
  onClose,
}: Pick<ConfirmProps, 'action' | 'onConfirm' | 'title' | 'why'> & { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const task = useTask();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const confirm = async () => {
    if (!(await task.run(onConfirm))) return;
    dialog.current?.close();
    // What was asked about may be gone, and the button with it: the focus goes to where the page starts.
    if (document.activeElement === document.body) document.querySelector<HTMLElement>('main h1')?.focus();
  };
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} aria-describedby={`${id}-why`} onClose={onClose}>
      <h2 id={`${id}-title`}>{title}</h2>
      <p id={`${id}-why`}>{why}</p>
      <p role="alert" class="wrong">
        {task.wrong}
      </p>
      <div class="answers">
        <Button onClick={() => dialog.current?.close()}>{text.confirm.cancel}</Button>
        <Button kind="danger" busy={task.busy} onClick={confirm}>
          {action}
        </Button>
      </div>
    </dialog>
  );
}
