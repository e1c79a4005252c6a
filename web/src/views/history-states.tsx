/** How the history says what became of a message. */
import type { SentReceipt, SentState } from '../../../lib/device/account-api.ts';
import { identity } from '../state/app.ts';
import { text } from '../text.ts';
import { timeOf, wholeTime } from '../ui/times.ts';

/** The best first. */
const STATES: readonly SentState[] = ['acknowledged', 'delivered', 'waiting', 'expired'];

/** A state; its sign differs in form, not in colour alone. */
export function StateMark({ state }: { state: SentState }) {
  return (
    <svg class={`state ${state}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="7" />
      <path d={SIGNS[state]} />
    </svg>
  );
}

const SIGNS: Record<SentState, string> = {
  acknowledged: 'M4.75 8.25l2.25 2.25 4.25-4.75',
  delivered: 'M8 4.5v6.5M5.25 8.5L8 11.25l2.75-2.75',
  waiting: 'M8 4.5V8l2.5 1.75',
  expired: 'M5.5 5.5l5 5m0-5l-5 5',
};

/** On how many devices it is in which state. */
export function Counts({ of }: { of: Record<SentState, number> }) {
  const known = STATES.filter((state) => of[state] > 0);
  return (
    <span class="counts">
      {known.map((state, at) => (
        <span key={state}>
          <StateMark state={state} />
          {text.history.counts[state](of[state])}
          {/* For those who listen. */}
          <span class="hidden-text">{at < known.length - 1 ? ', ' : ''}</span>
        </span>
      ))}
    </span>
  );
}

/** What became of an emergency, as a sentence. */
export function receiptWords(receipt: SentReceipt, whole = false): string {
  const { acknowledged, acknowledged_by: by, acknowledged_by_device: device } = receipt;
  const say = whole ? wholeTime : timeOf;
  if (acknowledged) {
    // Of a member of another account's group it is not said who it was.
    const other = whole && by !== '' ? by : text.history.somebody;
    const who = by === identity.value?.user ? text.history.you : other;
    return text.history.receipt.acknowledged(who, device, say(receipt.acknowledged_at));
  }
  return receipt.expired ? text.history.receipt.expired : text.history.receipt.asks(say(receipt.expires_at));
}
