/** The parameters of a request, whatever way they came. */
import { BodyError } from './errors.ts';
import type { JsonField } from './json.ts';
import type { FilePart } from './multipart.ts';

/** What one parameter was: text, a file, JSON with structure, or given without a value. */
export type Field = JsonField | { file: FilePart };

/**
 * Parameters by name, case-sensitive. Of a name given twice the last counts, as with Pushover's own framework.
 * An empty value is as good as none (Pushover accepts `device=`), so are JSON's null and an empty file without
 * a name (a form's file field that was left alone); only `cleared` tells them apart from a missing one.
 */
export class Params {
  readonly #fields = new Map<string, Field>();

  /** Sets a parameter, over an earlier one of its name. */
  set(name: string, field: Field): void {
    this.#fields.set(name, isEmpty(field) ? { empty: true } : field);
  }

  /** Names of the parameters that have a value. */
  names(): string[] {
    return [...this.#fields].filter(([, field]) => !('empty' in field)).map(([name]) => name);
  }

  /** Whether there is a value, of any kind. */
  has(name: string): boolean {
    const field = this.#fields.get(name);
    return field !== undefined && !('empty' in field);
  }

  /** Whether it was named, but with an empty value: how a client says "remove it". */
  cleared(name: string): boolean {
    const field = this.#fields.get(name);
    return field !== undefined && 'empty' in field;
  }

  /**
   * The text of a parameter, never empty. Undefined if it has none or is a file. Throws BodyError for a JSON
   * object (or a list with one): that is a mistake which must not read as a missing value.
   */
  get(name: string): string | undefined {
    const field = this.#fields.get(name);
    if (field === undefined) return undefined;
    if ('json' in field) throw new BodyError(name, 'must be text, not a JSON object');
    return 'text' in field ? field.text : undefined;
  }

  /**
   * A flag such as `html`: on for `1` (which JSON's true is read as) and `true`, off for anything else, since
   * senders write `html=false`.
   */
  flag(name: string): boolean {
    const text = this.get(name)?.toLowerCase();
    return text === '1' || text === 'true';
  }

  /**
   * A parameter with structure: an object or list of a JSON body as it is, a form's text parsed as JSON.
   * Undefined if it has no value. Throws BodyError for text that is not JSON. Nothing is checked beyond that.
   */
  getJson(name: string): unknown {
    const field = this.#fields.get(name);
    if (field === undefined || !('json' in field || 'text' in field)) return undefined;
    if ('json' in field) return field.json;
    try {
      return JSON.parse(field.text);
    } catch {
      throw new BodyError(name, 'is not valid JSON');
    }
  }

  /** A file of a multipart body. */
  file(name: string): FilePart | undefined {
    const field = this.#fields.get(name);
    return field && 'file' in field ? field.file : undefined;
  }

  /** All parameters that are text, for a schema to check at once. The object has no prototype. */
  texts(): Record<string, string> {
    const texts: Record<string, string> = Object.create(null);
    for (const [name, field] of this.#fields) if ('text' in field) texts[name] = field.text;
    return texts;
  }
}

function isEmpty(field: Field): boolean {
  if ('text' in field) return field.text === '';
  return 'file' in field && field.file.bytes.length === 0 && field.file.filename === undefined;
}
