/** Pages of documentation: a Markdown template with named places, and what comes there. */

/**
 * Puts values into a template's `{{places}}`.
 *
 * @throws Error for a place without a value, or a value without a place
 */
export function fill(template: string, values: Record<string, string>): string {
  const unused = new Set(Object.keys(values));
  const page = template.replaceAll(/\{\{(\w+)\}\}/g, (_place, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the page has a place ${name}, but there is no such value`);
    unused.delete(name);
    return value;
  });
  if (unused.size > 0) throw new Error(`the page has no place for ${[...unused].join(', ')}`);
  return page;
}

/** Dollars, to the cent; below ten cents to a tenth of one. */
export function money(amount: number): string {
  if (amount === 0) return '';
  const digits = amount < 0.0995 ? 3 : 2;
  const [whole = '', cents = ''] = amount.toFixed(digits).split('.');
  return `$${Number(whole).toLocaleString('en')}.${cents}`;
}

/** A number of things, to three figures; nothing for none. */
export function count(amount: number): string {
  if (amount === 0) return '';
  return Number(amount.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
}

/** A whole number, with its thousands apart. */
export function whole(amount: number): string {
  return Math.round(amount).toLocaleString('en');
}
