import { createHash } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { soundsKey } from '../accounts/directory.ts';
import { builtInSound } from '../messages/sounds.ts';
import { randomCharacters } from '../protocol/characters.ts';
import { Refusal } from '../refusal.ts';
import { batchGet } from '../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { isConditionFailure, type Table } from '../storage/table.ts';
import type { MediaBucket } from './bucket.ts';
import { readMp3 } from './mp3.ts';
import { type CustomSound, MAX_SECONDS, type NewSound, SOUND_ID_LENGTH } from './sound-fields.ts';

/** Most custom sounds of one account. */
export const MAX_SOUNDS = 50;
/** What encoders add before and behind a sound, in seconds. */
const PADDING_SECONDS = 0.5;

/** Attempts at a change that concurrent changes keep overtaking. */
const ATTEMPTS = 8;

const SOUNDS_OF = kind('sounds', unchanged);

/** All sounds of an account, as they are stored: in one item, which a send reads at once. */
interface Stored {
  sounds: (CustomSound & { digest: string })[];
  /** 0: there is no item yet. */
  version: number;
}

/**
 * Sounds that accounts have uploaded: their names in one item of the Directory, their files in the bucket, under ids
 * that are never used twice.
 *
 * A change reads the item and writes it under the condition that its `version` is still the same; whoever is overtaken
 * reads again. The file is written before its name and deleted before it. So whatever dies in between leaves a file
 * that nobody names, or, of a deletion, a name whose sound falls back to the device's default until the deletion is
 * repeated.
 */
export class CustomSounds {
  readonly #table: Table;
  readonly #bucket: MediaBucket;

  constructor(table: Table, bucket: MediaBucket) {
    this.#table = table;
    this.#bucket = bucket;
  }

  /**
   * Adds a sound. A repeat of an upload whose answer was lost finds the very same sound and answers it.
   *
   * @param file as it was uploaded; only its audio is kept
   * @throws Refusal naming `name` or `sound`
   */
  async add(owner: string, { name, description = name }: NewSound, file: Uint8Array): Promise<CustomSound> {
    const mp3 = readMp3(file);
    if (!mp3) throw new Refusal({ field: 'sound', reason: 'must be an MP3 file' });
    if (mp3.seconds > MAX_SECONDS + PADDING_SECONDS) {
      throw new Refusal({ field: 'sound', reason: `is too long (maximum is ${MAX_SECONDS} seconds)` });
    }
    const digest = createHash('sha256').update(mp3.audio).digest('base64url').slice(0, 16);
    const known = addable(await readSounds(this.#table, owner), name, description, digest);
    const id = known ?? randomCharacters(SOUND_ID_LENGTH);
    // Of a known one too: a deletion that died may have taken the file away and left the name.
    await this.#bucket.put('sounds', id, mp3.audio);
    if (known) return { name, id, description };
    // When somebody else has taken the name or the last place since, the file stays behind: nobody names it.
    const kept = await this.#change(owner, (stored) => {
      const other = addable(stored, name, description, digest);
      return other
        ? { result: other }
        : { result: id, next: [...stored.sounds, { name, id, description, digest }] };
    });
    return { name, id: kept, description };
  }

  /** An account's sounds, by name. */
  async list(owner: string): Promise<CustomSound[]> {
    return listSounds(this.#table, owner);
  }

  /** @throws Refusal naming `name` */
  async remove(owner: string, name: string): Promise<void> {
    const { sounds } = await readSounds(this.#table, owner);
    const sound = sounds.find((one) => one.name === name);
    if (!sound) throw new Refusal({ field: 'name', reason: 'not found' }, 404);
    await this.#bucket.delete('sounds', sound.id);
    // Of the same name, but added in the meantime: that one stays.
    await this.#change(owner, (stored) => {
      const next = stored.sounds.filter(({ id }) => id !== sound.id);
      return next.length < stored.sounds.length ? { result: undefined, next } : { result: undefined };
    });
  }

  async #change<T>(
    owner: string,
    plan: (stored: Stored) => { result: T; next?: Stored['sounds'] },
  ): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = await readSounds(this.#table, owner);
      const { result, next } = plan(stored);
      if (!next) return result;
      try {
        await this.#table.client.send(
          new PutCommand({
            TableName: this.#table.name,
            Item: versioned(SOUNDS_OF, { ...soundsKey(owner), sounds: next, version: stored.version + 1 }),
            ConditionExpression: 'version = :version OR (:version = :none AND attribute_not_exists(pk))',
            ExpressionAttributeValues: { ':version': stored.version, ':none': 0 },
          }),
        );
        return result;
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    }
    throw new Error('the sounds of an account changed too often at once');
  }
}

/** An account's sounds, by name. Costs one read unit per 4 KB: some thirty sounds. */
export async function listSounds(directory: Table, owner: string): Promise<CustomSound[]> {
  const { sounds } = await readSounds(directory, owner);
  return sounds
    .map(({ name, id, description }) => ({ name, id, description }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * What a message says its sound is, of what its sender says: the name of a built-in sound, the id of a custom sound of
 * the app's owner, which then plays for all recipients; any other name as it is, for the recipient's own account may
 * have a sound of that name. A built-in sound costs nothing; for another, the owner's are read.
 */
export async function resolveSound(
  directory: Table,
  owner: string,
  sound: string | undefined,
): Promise<string | undefined> {
  if (sound === undefined) return undefined;
  const builtIn = builtInSound(sound);
  if (builtIn !== undefined) return builtIn;
  const { sounds } = await readSounds(directory, owner);
  return sounds.find(({ name }) => name === sound)?.id ?? sound;
}

/** Strongly consistent: a sound that was uploaded a moment ago plays. */
async function readSounds(directory: Table, owner: string): Promise<Stored> {
  const [items] = await batchGet([{ table: directory, keys: [soundsKey(owner)], consistent: true }]);
  const [item] = items!;
  return item ? (newest(SOUNDS_OF, item) as unknown as Stored) : { sounds: [], version: 0 };
}

/**
 * Checks that a sound may be added.
 *
 * @returns the id of the very same sound, if it is there already
 * @throws Refusal naming `name`
 */
function addable({ sounds }: Stored, name: string, description: string, digest: string): string | undefined {
  const known = sounds.find((one) => one.name === name);
  if (known?.digest === digest && known.description === description) return known.id;
  if (known) throw new Refusal({ field: 'name', reason: 'has already been taken' });
  if (sounds.length >= MAX_SOUNDS) {
    throw new Refusal({
      field: 'name',
      reason: `cannot be added: an account has at most ${MAX_SOUNDS} sounds`,
    });
  }
  return undefined;
}
