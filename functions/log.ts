import type { Log } from '../lib/log.ts';

/** What a line says, before it is one. */
export type Line = Record<string, unknown>;

/**
 * Writes a line of the function's log: one flat JSON object. Lambda keeps what is JSON already as it is, where it would
 * put a console call into an envelope that is as large as the line.
 */
export function writeLine(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A line of the log, written at once. */
export const log: Log = (level, message, fields) => writeLine(lineOf(level, message, fields));

export function lineOf(...[level, message, fields]: Parameters<Log>): Line {
  return { level: level.toUpperCase(), message, ...fields };
}
