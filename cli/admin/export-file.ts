/** Writing an export as it comes, piece by piece: it may be larger than memory should hold. */
import { open, rename, rm } from 'node:fs/promises';
import type { ExportPart } from '../../lib/accounts/export.ts';

/** Takes a text; resolves when it is written. */
type Sink = (text: string) => Promise<unknown>;

/** Writes sections as one JSON object of lists. Parts of one section come one after another. */
export class SectionWriter {
  readonly #write: Sink;
  #section: string | undefined;
  #entries = 0;

  constructor(write: Sink) {
    this.#write = write;
  }

  async add({ section, entries }: ExportPart): Promise<void> {
    if (section !== this.#section) {
      await this.#write(
        `${this.#section === undefined ? '{' : `${this.#end()},`}\n${JSON.stringify(section)}: [`,
      );
      this.#section = section;
      this.#entries = 0;
    }
    for (const entry of entries) {
      await this.#write(`${this.#entries++ > 0 ? ',' : ''}\n  ${JSON.stringify(entry)}`);
    }
  }

  async close(): Promise<void> {
    await this.#write(this.#section === undefined ? '{}\n' : `${this.#end()}\n}\n`);
  }

  #end(): string {
    return this.#entries > 0 ? '\n]' : ']';
  }
}

/**
 * Writes a file for its owner alone, which has its name only once it is whole.
 *
 * @param fill is given what takes the text
 */
export async function writeWhole(file: string, fill: (write: Sink) => Promise<void>): Promise<void> {
  const draft = `${file}.part`;
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await fill((text) => handle.appendFile(text));
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(draft, { force: true });
    throw error;
  }
  await handle.close();
  await rename(draft, file);
}
