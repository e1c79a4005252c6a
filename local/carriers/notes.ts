/** What stand-ins were told about targets. */

import { object } from './faults.ts';
import { STAND_INS, type StandIn, type TargetNote } from './types.ts';

export class Notes {
  readonly #notes = new Map<string, TargetNote>();
  readonly #known = new Map<StandIn, boolean>();

  set(note: TargetNote): void {
    this.#notes.set(`${note.carrier} ${note.target}`, note);
  }

  get(carrier: StandIn, target: string): TargetNote | undefined {
    return this.#notes.get(`${carrier} ${target}`);
  }

  /** From now on the carrier knows only the targets that it has a note of. */
  onlyNoted(carrier: StandIn, only: boolean): void {
    this.#known.set(carrier, only);
  }

  /** Whether the carrier takes the target for one of its own. */
  isKnown(carrier: StandIn, target: string): boolean {
    return !this.#known.get(carrier) || this.get(carrier, target) !== undefined;
  }

  clear(): void {
    this.#notes.clear();
    this.#known.clear();
  }
}

/**
 * Reads a note from JSON.
 *
 * @throws {TypeError} that says what is wrong
 */
export function parseTargetNote(json: unknown): TargetNote {
  const note = object(json, 'the note');
  if (!isStandIn(note.carrier)) throw new TypeError(`carrier must be one of ${STAND_INS.join(', ')}`);
  if (typeof note.target !== 'string' || note.target === '') throw new TypeError('target must be a string');
  if (note.deadSince !== undefined && !Number.isInteger(note.deadSince)) {
    throw new TypeError('deadSince must be Unix milliseconds');
  }
  if (note.environment !== undefined && note.environment !== 'sandbox' && note.environment !== 'production') {
    throw new TypeError('environment must be sandbox or production');
  }
  if (note.owner !== undefined && typeof note.owner !== 'string')
    throw new TypeError('owner must be a string');
  return note as unknown as TargetNote;
}

/** Whether a value names a stand-in that has targets. */
export function isStandIn(value: unknown): value is StandIn {
  return STAND_INS.some((name) => name === value);
}
