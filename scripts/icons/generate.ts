/** Writes the default icon: `node scripts/icons/generate.ts`. It is committed; run it after changing the drawing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawBell, SIZE } from './bell.ts';
import { encodePng } from './png.ts';

const FOLDER = join(import.meta.dirname, '../../functions/media/assets/icons');

mkdirSync(FOLDER, { recursive: true });
writeFileSync(join(FOLDER, 'default.png'), encodePng(SIZE, SIZE, drawBell()));
