/** Queues and workers that die, for tests of what a queue delivers again, in whatever order and however often. */
import type { Queue } from '../../lib/storage/queue.ts';
import type { Table } from '../../lib/storage/table.ts';

/** How a worker fares with one delivery. */
export interface Fate {
  /** Which of the records that wait is delivered. */
  pick: number;
  /** How many things it does before it dies; undefined: it lives. */
  dies?: number | undefined;
  /** Whether the last thing takes effect, and only its answer is lost. */
  after: boolean;
  /** Whether SQS delivers the record again although it was done. */
  again: boolean;
  /** Whether the next delivery, of another record or of the same one, is at the same time. */
  beside: boolean;
}

export class Died extends Error {}

/** A process: what it does goes through it, and once it is dead it does nothing more. */
export class Process {
  #left: number;
  readonly #after: boolean;
  dead = false;

  constructor({ dies, after }: Pick<Fate, 'after' | 'dies'>) {
    this.#left = dies ?? Number.POSITIVE_INFINITY;
    this.#after = after;
  }

  async do<T>(effect: () => Promise<T> | T): Promise<T> {
    if (this.dead) throw new Died();
    if (this.#left-- > 0) return effect();
    this.dead = true;
    if (this.#after) await effect();
    throw new Died();
  }

  /** A table whose requests this process makes. */
  table({ client, name }: Table): Table {
    const send = (command: never) => this.do(() => client.send(command));
    return { client: { send } as unknown as Table['client'], name };
  }

  /** A queue that this process sends to. */
  queue(to: { push(...bodies: string[]): unknown }): Queue {
    const send = (bodies: unknown[]) =>
      this.do(() => {
        to.push(...bodies.map((body) => JSON.stringify(body)));
      });
    return { send } as unknown as Queue;
  }
}

/** The records of a queue that are live: waiting, delayed or in flight. It delivers in any order, delays do not count. */
export class Line {
  readonly live: string[] = [];
  /** Deliveries after which SQS did not delete what was done, or which a worker did not survive. */
  troubles = 0;
  readonly #work: (body: string, process: Process) => Promise<boolean>;

  /** @param work does a record; whether it is done, so that SQS deletes it */
  constructor(work: (body: string, process: Process) => Promise<boolean>) {
    this.#work = work;
  }

  /** Delivers one after another, or several at once where their fate says so. */
  async deliverAll(fates: Fate[], check: () => void): Promise<void> {
    for (let at = 0; at < fates.length; ) {
      const length = fates.slice(at).findIndex(({ beside }) => !beside) + 1 || fates.length - at;
      const atOnce = fates.slice(at, at + length);
      const picked = atOnce.map(({ pick }) => pick % this.live.length);
      this.troubles += picked.length - new Set(picked).size;
      await Promise.all(atOnce.map((fate) => this.deliver(fate)));
      check();
      at += length;
    }
  }

  async deliver({ pick, dies, after, again }: Omit<Fate, 'beside'>): Promise<void> {
    const body = this.live[pick % this.live.length];
    if (body === undefined) return;
    const process = new Process({ dies, after });
    const done = await this.#work(body, process).catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
      return false;
    });
    if (process.dead || again) this.troubles++;
    const at = this.live.indexOf(body);
    if (done && !process.dead && !again && at >= 0) this.live.splice(at, 1);
  }

  /** Delivers each record once that is live now, and nobody dies. */
  async calm(): Promise<void> {
    for (const body of [...this.live]) {
      await this.deliver({ pick: this.live.indexOf(body), after: false, again: false });
    }
  }
}
