/** What the pictures are called, and the page that shows them. */
import type { Shot } from './pages.ts';

/** In `docs`. */
export const FOLDER = 'screenshots';

export interface Screen {
  name: string;
  /** In CSS pixels. */
  width: number;
  height: number;
  /** Pixels of the picture for one of these. */
  scale: number;
}

export const SCREENS: readonly Screen[] = [
  { name: 'desktop', width: 1280, height: 800, scale: 1 },
  { name: 'phone', width: 390, height: 844, scale: 1.5 },
];

export const SCHEMES = ['light', 'dark'] as const;

export type Scheme = (typeof SCHEMES)[number];

export const fileOf = ({ name }: Shot, screen: Screen, scheme: Scheme): string =>
  `${name}-${screen.name}-${scheme}.webp`;

/** The page of the documentation, in Markdown. */
export function documentOf(shots: readonly Shot[]): string {
  const sections = shots.map((shot) => {
    const images = SCHEMES.map((scheme) =>
      SCREENS.map((screen) => {
        const width = screen.name === 'phone' ? 180 : 590;
        const alt = `${shot.about}, ${scheme}, on a ${screen.name}`;
        return `<img src="${FOLDER}/${fileOf(shot, screen, scheme)}" width="${width}" alt="${alt}">`;
      }).join(' '),
    );
    return `## ${shot.about}\n\n${images.map((line) => `${line}\n`).join('\n')}`;
  });
  return `# What it looks like\n\nTaken by \`npm run screenshots\`, of the local cloud with a made-up account: at 1280 and 390 pixels, light and dark.\n\n${sections.join('\n')}`;
}
