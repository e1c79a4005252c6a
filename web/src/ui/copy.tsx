import { useSignal } from '@preact/signals';
import { text } from '../text.ts';
import { Button } from './button.tsx';

/** How long it says that it was copied. Milliseconds. */
const SAID = 2000;

/** A value to be copied, with its button. */
export function Copyable({ name, value }: { name: string; value: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    copied.value = true;
    setTimeout(() => {
      copied.value = false;
    }, SAID);
  };
  return (
    <div class="copyable">
      <pre>{value}</pre>
      <Button label={text.copy.what(name)} onClick={copy}>
        <span aria-live="polite">{copied.value ? text.copy.done : text.copy.do}</span>
      </Button>
    </div>
  );
}
