/** The ways in which a command fails. Scripts rely on the exit codes; people read the message and the advice. */

/** Exit codes: 0 is done, 130 is interrupted. */
export const EXIT = { refused: 1, usage: 2, trouble: 3, interrupted: 130 } as const;

/** A failure that is told as a message and what to do about it, and not as a stack. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: number;
  /** What the user can do about it: a whole sentence. */
  readonly advice: string | undefined;

  constructor(exitCode: number, message: string, advice?: string) {
    super(message);
    this.exitCode = exitCode;
    this.advice = advice;
  }
}

/** The command cannot mean what was typed, or the configuration lacks something. Nothing was sent. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';

  constructor(message: string, advice?: string) {
    super(EXIT.usage, message, advice);
  }
}

/** The server understood and said no (4xx). The same again will fail again. */
export class RefusedError extends CliError {
  override readonly name = 'RefusedError';
  /** Names of the parameters that the server found fault with. */
  readonly fields: readonly string[];

  constructor(message: string, fields: readonly string[], advice?: string) {
    super(EXIT.refused, message, advice);
    this.fields = fields;
  }
}

/** The server could not be reached, or is in trouble itself (5xx). The same again may work. */
export class TroubleError extends CliError {
  override readonly name = 'TroubleError';

  constructor(message: string, advice?: string) {
    super(EXIT.trouble, message, advice);
  }
}
