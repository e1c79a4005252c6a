import * as v from 'valibot';
import { requiredText } from '../http/fields.ts';
import { builtInSound } from '../messages/sounds.ts';
import { isCharacters } from '../protocol/characters.ts';

/** Longest sound, in seconds. */
export const MAX_SECONDS = 30;

/** What a new sound says of itself, beside its file. */
export const NEW_SOUND = v.object({
  name: v.pipe(
    v.optional(v.string(), ''),
    v.regex(/^[A-Za-z0-9_-]{1,20}$/, 'must be 1 to 20 of the characters A-Z, a-z, 0-9, _ and -'),
    v.check((name) => builtInSound(name) === undefined, 'is the name of a built-in sound'),
  ),
  description: v.optional(requiredText(50)),
});

export type NewSound = v.InferOutput<typeof NEW_SOUND>;

/** What a custom sound is named by, in a path. */
export const SOUND_NAME = v.pipe(v.string(), v.description('Name of the sound'));

/** A sound as its owner sees it. */
export const SOUND = v.object({
  name: v.pipe(v.string(), v.description('What a sender names')),
  id: v.pipe(v.string(), v.description('Names its file: `/sounds/{id}.mp3`')),
  description: v.string(),
});
export type CustomSound = v.InferOutput<typeof SOUND>;

/** Length of a sound's id, 138 bits: longer than any sound's name, so that none is both. */
export const SOUND_ID_LENGTH = 24;

/** Whether a text has the form of a sound's id. */
export const isSoundId = (text: string): boolean => isCharacters(text, SOUND_ID_LENGTH);
