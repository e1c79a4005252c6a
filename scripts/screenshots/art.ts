/** Pictures for the demonstration, drawn as SVG and turned into PNG by the browser that takes the screenshots. */
import type { Browser } from 'playwright-core';

const stroke = 'fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"';

const icon = (color: string, content: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72" width="72" height="72"><rect width="72" height="72" rx="16" fill="${color}"/>${content}</svg>`;

/** Icons of apps, by the app's name. */
export const ICONS: Readonly<Record<string, string>> = {
  Uptime: icon('#1f6f5c', `<path ${stroke} d="M12 40h12l6-18 10 30 7-20 4 8h9"/>`),
  Home: icon('#3a5da8', `<path ${stroke} d="M14 36 36 16l22 20M20 32v24h32V32M31 56V42h10v14"/>`),
  Builds: icon('#7a3f98', `<path ${stroke} d="m24 22-12 14 12 14M48 22l12 14-12 14M41 16 31 56"/>`),
  Backups: icon(
    '#8a4f07',
    `<path ${stroke} d="M16 22c0-8 40-8 40 0v28c0 8-40 8-40 0Zm0 0c0 8 40 8 40 0M16 36c0 8 40 8 40 0"/>`,
  ),
  Calendar: icon('#a8323e', `<path ${stroke} d="M14 20h44v38H14ZM14 32h44M26 12v12M46 12v12"/>`),
};

/** A chart of response times that go up: what a monitor sends along. */
export function chart(): string {
  const times = [
    182, 176, 190, 185, 178, 181, 174, 188, 192, 186, 179, 183, 191, 187, 195, 189, 204, 198, 221, 247, 312,
    468, 655, 812, 798, 905, 861, 930,
  ];
  const x = (n: number) => 64 + (n / (times.length - 1)) * 616;
  const y = (time: number) => 330 - (time / 1000) * 280;
  const line = times
    .map((time, n) => `${n === 0 ? 'M' : 'L'}${x(n).toFixed(1)} ${y(time).toFixed(1)}`)
    .join('');
  const grid = [0, 250, 500, 750, 1000].map(
    (time) =>
      `<path stroke="#e0dcd3" d="M64 ${y(time)}H680"/><text x="54" y="${y(time) + 5}" text-anchor="end">${time}</text>`,
  );
  const hours = ['08:00', '09:00', '10:00', '11:00', '12:00'].map(
    (hour, n) => `<text x="${64 + n * 154}" y="356" text-anchor="middle">${hour}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 376" width="720" height="376" font-family="sans-serif" font-size="14" fill="#5c626c">
<rect width="720" height="376" fill="#fff"/>
<text x="64" y="28" font-size="16" font-weight="600" fill="#1c1e22">Response time of api.example.com, ms</text>
${grid.join('')}${hours.join('')}
<path d="M64 ${y(500)}H680" stroke="#b42318" stroke-dasharray="6 5"/>
<path d="${line}V330H64Z" fill="#1f6f5c" opacity=".12"/><path d="${line}" fill="none" stroke="#1f6f5c" stroke-width="2.5" stroke-linejoin="round"/>
</svg>`;
}

/** Draws an SVG as PNG. */
export async function draw(browser: Browser, svg: string): Promise<Blob> {
  const page = await browser.newPage();
  try {
    await page.setContent(`<style>*{margin:0}svg{display:block}</style>${svg}`);
    const bytes = await page.locator('svg').screenshot({ omitBackground: true });
    return new Blob([new Uint8Array(bytes)], { type: 'image/png' });
  } finally {
    await page.close();
  }
}
