/**
 * An append-only file of lines that survives the end of the process, or of the power, at any moment (Node only).
 *
 * A line is written with its line feed in one go; what was torn off is at the end and has no line feed, so reading can
 * tell. Compaction writes a new file beside the old one and renames it, which is atomic (POSIX rename).
 */
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError } from './errors.ts';

/** A file is for its owner alone: it holds secrets and messages. */
const OWNER_ONLY = 0o600;

/** An open journal. Calls must not overlap. */
export class Journal {
  readonly #path: string;
  #file: FileHandle;
  #bytes: number;
  #broken: Error | undefined;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * Opens or creates a journal.
   *
   * @param isLine tells a line that was written whole from one that was not
   * @returns the journal and its lines; a torn end is cut off
   * @throws StoreError if there is a line that cannot be read with good ones after it: that is no torn end but damage
   */
  static async open(path: string, isLine: (line: string) => boolean): Promise<[Journal, string[]]> {
    const file = await open(path, 'a', OWNER_ONLY);
    try {
      const text = await readFile(path, 'utf8');
      const lines = text.split('\n');
      const torn = lines.pop() ?? '';
      const bad = lines.findIndex((line) => !isLine(line));
      const good = bad < 0 ? lines : lines.slice(0, bad);
      if (bad >= 0 && lines.slice(bad + 1).some(isLine)) {
        throw new StoreError(`${path}: line ${bad + 1} is damaged; restore the file, or delete that line`);
      }
      const bytes = Buffer.byteLength(good.map((line) => `${line}\n`).join(''));
      if (torn !== '' || bad >= 0) await file.truncate(bytes);
      // A new file is safe only when its folder is written too.
      await syncFolder(path);
      return [new Journal(path, file, bytes), good];
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Adds a line.
   *
   * @param durable wait until it is on the disk; else a kill cannot take it any more, but a power cut can
   */
  async append(line: string, durable: boolean): Promise<void> {
    if (this.#broken) throw this.#broken;
    const data = Buffer.from(`${line}\n`);
    try {
      await this.#file.appendFile(data);
      if (durable) await this.#file.datasync();
      this.#bytes += data.length;
    } catch (cause) {
      await this.#cutBack(cause);
      throw new StoreError(`${this.#path}: cannot write; is the disk full?`, { cause });
    }
  }

  /** Puts `lines` in the place of the whole content, atomically. */
  async replace(lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${line}\n`).join('');
    const old = this.#file;
    // The handle of the new file is taken before it has its name: there is no moment to append to a nameless one.
    this.#file = await placeWhole(this.#path, text);
    this.#bytes = Buffer.byteLength(text);
    await old.close();
    await syncFolder(this.#path);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Half a line at the end would spoil the next one. If it cannot be cut off, nothing is written any more. */
  async #cutBack(cause: unknown): Promise<void> {
    try {
      await this.#file.truncate(this.#bytes);
    } catch {
      this.#broken = new StoreError(`${this.#path}: an earlier write failed; start again`, { cause });
    }
  }
}

/** Writes a file so that at any moment there is either the old one or the new one, whole and on the disk. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const file = await placeWhole(path, content);
  await file.close();
  await syncFolder(path);
}

/** @returns the new file, open for appending; only its folder is not on the disk yet */
async function placeWhole(path: string, content: string | Uint8Array): Promise<FileHandle> {
  const beside = `${path}.new`;
  // Left over from a write that was cut off; it may have other permissions.
  await rm(beside, { force: true });
  const file = await open(beside, 'ax', OWNER_ONLY);
  try {
    await file.appendFile(content);
    await file.sync();
    await rename(beside, path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and needs none of this: NTFS journals its folders.
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
