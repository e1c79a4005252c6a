/** The icon of an app that has none: a bell that rings, white on a rounded square. */

/** Width and height in pixels. */
export const SIZE = 72;

/** Samples a pixel in each direction, which smooth the edges. */
const FINE = 8;

const TOP = [99, 102, 241] as const;
const BOTTOM = [67, 56, 202] as const;

/** The icon's pixels, RGBA. Coordinates of the drawing go from −1 to 1, y downwards. */
export function drawBell(): Uint8Array {
  const out = new Uint8Array(SIZE * SIZE * 4);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) out.set(pixel(x, y), (y * SIZE + x) * 4);
  }
  return out;
}

function pixel(x: number, y: number): number[] {
  let [square, white] = [0, 0];
  for (let n = 0; n < FINE * FINE; n++) {
    const u = ((x + ((n % FINE) + 0.5) / FINE) / SIZE) * 2 - 1;
    const v = ((y + (Math.floor(n / FINE) + 0.5) / FINE) / SIZE) * 2 - 1;
    if (!inSquare(u, v)) continue;
    square++;
    if (inBell(u, v) || inWaves(u, v)) white++;
  }
  if (square === 0) return [0, 0, 0, 0];
  const share = white / square;
  const back = TOP.map((top, n) => top + (BOTTOM[n]! - top) * (y / SIZE));
  return [...back.map((c) => Math.round(c + (255 - c) * share)), Math.round((255 * square) / FINE ** 2)];
}

/** A square with rounded corners. */
function inSquare(x: number, y: number): boolean {
  const [side, radius] = [0.94, 0.42];
  const [dx, dy] = [Math.abs(x) - side + radius, Math.abs(y) - side + radius];
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) <= radius && Math.max(dx, dy) <= radius;
}

/** Crown, body, rim and clapper. */
function inBell(x: number, y: number): boolean {
  if (Math.hypot(x, y + 0.6) < 0.09) return true;
  if (y > -0.56 && y < 0.3) return Math.abs(x) < halfWidth(y);
  if (Math.abs(x) < 0.5 && Math.abs(y - 0.33) < 0.06) return true;
  return y > 0.45 && Math.hypot(x, y - 0.45) < 0.14;
}

/** Half of the body's width: a dome that flares towards the rim. */
function halfWidth(y: number): number {
  if (y < -0.22) return Math.sqrt(Math.max(0, 1 - ((y + 0.22) / 0.34) ** 2)) * 0.33;
  return 0.33 + 0.15 * ((y + 0.22) / 0.52) ** 2.4;
}

/** Two arcs on either side. */
function inWaves(x: number, y: number): boolean {
  const [radius, angle] = [Math.hypot(x, y + 0.1), Math.abs(Math.atan2(y + 0.1, Math.abs(x)))];
  return angle < 0.55 && Math.abs(radius - 0.68) < 0.045;
}
