/**
 * A request whose parameters cannot be read. Nothing else is thrown by this folder for what a client sent;
 * whoever answers turns it into Pushover's shape: `{"<field>":"<reason>","errors":["<field> <reason>"],"status":0}`.
 */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  /** The parameter at fault, or `body` when it is the body as a whole. */
  readonly field: string;
  /** What is wrong, as the end of a sentence that starts with the field's name. */
  readonly reason: string;
  /** HTTP status to answer with: 413 for what is too large, 400 for everything else. */
  readonly status: 400 | 413;

  constructor(field: string, reason: string, status: 400 | 413 = 400) {
    super(`${field} ${reason}`);
    this.field = field;
    this.reason = reason;
    this.status = status;
  }
}
