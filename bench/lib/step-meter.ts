/** What one step of a message's way costs after another, from the local cloud's meter. */
import type { Call } from '../../local/aws/call.ts';
import { answerJson } from '../../local/aws/call.ts';
import type { Cloud } from '../../local/cloud.ts';
import type { LogLine } from '../../local/lambda/protocol.ts';
import { DURATION, LOG_BYTES } from './prices.ts';

/** Bytes of the line that the API writes of each request (`cdk/access-log.ts`), which the local cloud does not. */
const ACCESS_LOG_LINE = 200;

/** Counter → amount. */
export type Amounts = Record<string, number>;

/**
 * Reads the meter step by step. Not counted are long polls that came back empty: pollers make those whether there are
 * messages or not. Log lines are counted besides: what a function wrote, as JSON.
 */
export class StepMeter {
  readonly #cloud: Cloud;
  readonly #lastLine = new Map<string, LogLine | undefined>();
  readonly #stop: () => void;
  /** Of functions, since the last lap. */
  #emptyPolls: Amounts = {};

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#stop = cloud.front.intercept((call) => this.#watch(call));
  }

  /**
   * What was counted since the last lap, apart by `step`: the name of the step to which what `who` (a function's name,
   * or `edge`) used belongs. Counters of functions that were not invoked since are left out: they only polled.
   */
  lap<Step extends string>(step: (who: string, item: string) => Step): Partial<Record<Step, Amounts>> {
    const laps: Partial<Record<Step, Amounts>> = {};
    const add = (who: string, item: string, amount: number) => {
      const name = step(who, item);
      const amounts: Amounts = laps[name] ?? {};
      laps[name] = amounts;
      amounts[item] = (amounts[item] ?? 0) + amount;
    };
    for (const [who, items] of Object.entries(this.#cloud.meter.read())) {
      if (who !== 'edge' && items[DURATION] === undefined) continue;
      for (const [item, amount] of Object.entries(items)) {
        add(who, item, item === 'sqs.requests' ? amount - (this.#emptyPolls[who] ?? 0) : amount);
        if (item === 'http.requests') add(who, LOG_BYTES, amount * ACCESS_LOG_LINE);
      }
    }
    for (const [who, bytes] of this.#newLogBytes()) add(who, LOG_BYTES, bytes);
    this.#cloud.meter.reset();
    this.#emptyPolls = {};
    return laps;
  }

  close(): void {
    this.#stop();
  }

  #watch({ action, caller }: Call) {
    if (action !== 'ReceiveMessage') return undefined;
    return {
      after: (answer: Parameters<typeof answerJson>[0]) => {
        const { Messages } = answerJson(answer);
        if (!Array.isArray(Messages) || Messages.length === 0) {
          this.#emptyPolls[caller.name] = (this.#emptyPolls[caller.name] ?? 0) + 1;
        }
        return answer;
      },
    };
  }

  #newLogBytes(): [who: string, bytes: number][] {
    return [...this.#cloud.functions].flatMap(([who, { logs }]) => {
      const last = this.#lastLine.get(who);
      const lines = last ? logs.slice(logs.lastIndexOf(last) + 1) : logs;
      this.#lastLine.set(who, logs.at(-1));
      const sizes = lines.map((line) => line.bytes ?? Buffer.byteLength(JSON.stringify(line)));
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      return bytes > 0 ? [[who, bytes] as [string, number]] : [];
    });
  }
}
