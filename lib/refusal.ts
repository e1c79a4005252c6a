/** One thing wrong with a request: the parameter, what is wrong with it, and the sentence for `errors`. */
export interface Fault {
  /** The parameter; it becomes a top-level key of the answer. */
  field: string;
  /** For example `cannot be blank`. */
  reason: string;
  /** For example `message cannot be blank`; by default the field and the reason. Empty: none of its own. */
  sentence?: string;
}

/**
 * A request that is refused, with everything that the answer must say (Pushover's failure form: each bad parameter
 * as a key, and the sentences in `errors`). Thrown by the domain, shaped by `lib/http/answer.ts`.
 */
export class Refusal extends Error {
  readonly faults: readonly Fault[];
  /** HTTP status, 400 unless said otherwise. */
  readonly status: number;
  /** In how many seconds the same may be tried again, where that is known (`Retry-After`). */
  readonly retryAfter: number | undefined;

  constructor(faults: Fault | readonly Fault[], status = 400, retryAfter?: number) {
    const list = Array.isArray(faults) ? (faults as readonly Fault[]) : [faults as Fault];
    super(list.map(sentenceOf).join('; '));
    this.name = 'Refusal';
    this.faults = list;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  get sentences(): string[] {
    return this.faults.map(sentenceOf).filter((sentence) => sentence !== '');
  }
}

function sentenceOf(fault: Fault): string {
  return fault.sentence ?? `${fault.field} ${fault.reason}`;
}
