/** Pushover's HTML subset (b, i, u, font, a) as plain text. In one pass; anything that looks like a tag is left out. */

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** Text without tags and entities; the address of a link stands behind its text. */
export function htmlToText(html: string): string {
  let out = '';
  let link: { address: string; start: number } | undefined;
  let at = 0;
  for (;;) {
    const open = html.indexOf('<', at);
    const close = open === -1 ? -1 : html.indexOf('>', open);
    if (close === -1) return out + unescapeEntities(html.slice(at));
    out += unescapeEntities(html.slice(at, open));
    const tag = html.slice(open + 1, close);
    const name = /^\/?[a-z]{1,10}/i.exec(tag)?.[0].toLowerCase();
    // "1 < 2" and "->" are no tags.
    if (name === undefined) out += unescapeEntities(html.slice(open, close + 1));
    else if (name === 'br') out += '\n';
    else if (name === 'a') link = { address: unescapeEntities(attribute(tag, 'href')), start: out.length };
    else if (name === '/a' && link) {
      if (link.address !== '' && out.slice(link.start) !== link.address) out += ` (${link.address})`;
      link = undefined;
    }
    at = close + 1;
  }
}

/** The value of an attribute in a tag, or ''. */
function attribute(tag: string, name: string): string {
  const start = tag.toLowerCase().indexOf(`${name}=`);
  if (start === -1) return '';
  const value = tag.slice(start + name.length + 1);
  const quote = value[0];
  if (quote !== '"' && quote !== "'") return value.split(' ', 1)[0] ?? '';
  const end = value.indexOf(quote, 1);
  return value.slice(1, end === -1 ? undefined : end);
}

function unescapeEntities(text: string): string {
  return text.replace(/&(#x?[0-9a-f]{1,6}|[a-z]{1,8});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : whole;
  });
}
