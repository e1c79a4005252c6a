/** The built-in sounds. Their keys are Pushover's; what they sound like is our own. */
import {
  BELL,
  echoed,
  envelope,
  GONG,
  gate,
  glide,
  harmonics,
  hiss,
  mix,
  modulated,
  note,
  type Part,
  plucked,
  render,
  repeated,
  type Samples,
  silence,
  sine,
  struck,
  WOOD,
} from './synth.ts';

/** The motif of Peal: two bells, a fifth apart, and the octave. */
function peal(): Samples {
  return mix(
    [0, struck(note(3), 1.1, 0.3, BELL), 0.8],
    [0.13, struck(note(10), 1.0, 0.32, BELL), 0.8],
    [0.26, struck(note(15), 1.0, 0.38, BELL)],
  );
}

/** Notes one after the other: half tones above A, and seconds from one to the next. */
const melody = (
  steps: readonly [halfTones: number, start: number][],
  play: (f: number) => Samples,
): Samples => mix(...steps.map(([halfTones, start]): Part => [start, play(note(halfTones))]));

/** Brass: harmonics that swell. */
const brass =
  (seconds: number) =>
  (frequency: number): Samples =>
    glide(
      seconds,
      (t) => frequency * (1 + 0.004 * sine(5.5, t)),
      (t) => gate(t, seconds, 0.03),
      harmonics(9, 0.9),
    );

const piano = (frequency: number): Samples =>
  mix(
    [0, plucked(frequency, 1.1, 0.9965, 5), 0.8],
    [0, plucked(frequency * 1.003, 1.1, 0.9955, 9), 0.5],
    [0, render(1.1, (t) => envelope(t, 0.003, 0.25) * sine(frequency, t)), 0.3],
  );

const bicycle = (): Samples =>
  render(
    0.5,
    (t) =>
      envelope(t, 0.001, 0.16) *
      (0.6 + 0.4 * Math.abs(sine(17, t))) *
      (sine(2093, t) + 0.6 * sine(3322, t) + 0.4 * sine(5140, t)),
  );

const drop = (from: number, to: number, seconds: number): Samples =>
  glide(
    seconds,
    (t) => from * (to / from) ** (t / seconds),
    (t) => gate(t, seconds, 0.02),
  );

/** Every sound, by its key. */
export const RECIPES: Readonly<Record<string, () => Samples>> = {
  pushover: peal,
  bike: () => mix([0, bicycle()], [0.22, bicycle(), 1.1]),
  bugle: () =>
    melody(
      [
        [-7, 0],
        [-2, 0.16],
        [2, 0.32],
        [5, 0.48],
        [2, 0.74],
        [5, 0.9],
      ],
      brass(0.24),
    ),
  cashregister: () =>
    mix(
      [0, hiss(0.05, 6000, (t) => envelope(t, 0.001, 0.012), 3), 1.5],
      [0.08, hiss(0.05, 6000, (t) => envelope(t, 0.001, 0.012), 4), 1.5],
      [0.16, struck(2349, 1, 0.3, BELL), 0.8],
      [0.2, struck(2960, 0.9, 0.25, BELL), 0.6],
      [0.3, hiss(0.35, 2500, (t) => gate(t, 0.35, 0.1) * 0.5, 6)],
    ),
  classical: () =>
    melody(
      [
        [3, 0],
        [7, 0.14],
        [10, 0.28],
        [15, 0.42],
        [14, 0.56],
        [10, 0.7],
        [12, 0.84],
        [7, 0.98],
      ],
      (frequency) => plucked(frequency, 0.9, 0.995, 11),
    ),
  cosmic: () =>
    echoed(
      modulated(
        330,
        1.1,
        Math.SQRT2,
        (t) => 5 * Math.exp(-t * 2.5),
        (t) => envelope(t, 0.05, 0.35),
      ),
      0.23,
      0.45,
      3,
    ),
  falling: () => mix([0, drop(1800, 240, 1.2)], [1.2, hiss(0.3, 500, (t) => envelope(t, 0.002, 0.06), 8), 3]),
  gamelan: () =>
    mix(
      [0, struck(294, 1.8, 0.7, GONG)],
      [0, struck(587, 0.8, 0.25, GONG), 0.6],
      [0.2, struck(659, 0.8, 0.25, GONG), 0.6],
      [0.4, struck(880, 0.8, 0.25, GONG), 0.6],
      [0.6, struck(784, 0.8, 0.25, GONG), 0.6],
      [0.8, struck(587, 1, 0.35, GONG), 0.7],
    ),
  incoming: () =>
    melody(
      [
        [3, 0],
        [8, 0.1],
        [3, 0.3],
        [8, 0.4],
        [3, 0.6],
        [8, 0.7],
      ],
      (frequency) => struck(frequency, 0.25, 0.08, WOOD),
    ),
  intermission: () =>
    melody(
      [
        [7, 0],
        [3, 0.3],
        [10, 0.6],
        [-2, 0.9],
      ],
      (frequency) => struck(frequency, 0.9, 0.4, WOOD),
    ),
  magic: () =>
    mix(
      ...Array.from(
        { length: 14 },
        (_, n): Part => [
          n * 0.06,
          struck(note([0, 2, 4, 7, 9][n % 5]! + 12 * Math.floor(n / 5)), 0.7, 0.2, BELL),
        ],
      ),
    ),
  mechanical: () =>
    mix(
      ...Array.from({ length: 8 }, (_, n): Part => {
        const click = hiss(0.06, n % 2 ? 2200 : 5000, (t) => envelope(t, 0.0005, 0.01), 20 + n);
        return [n * 0.11, mix([0, click, 2], [0, struck(n % 2 ? 310 : 415, 0.1, 0.02, WOOD), 0.6])];
      }),
    ),
  pianobar: () =>
    mix(
      [0, piano(note(-9)), 0.8],
      [0, piano(note(-2)), 0.6],
      [0.02, piano(note(2)), 0.6],
      [0.04, piano(note(7)), 0.6],
      [0.36, piano(note(5)), 0.7],
      [0.54, piano(note(9)), 0.7],
      [0.72, piano(note(14)), 0.8],
    ),
  siren: () =>
    glide(
      2,
      (t) => 750 + 350 * sine(1, t - 0.25),
      (t) => gate(t, 2, 0.05),
      harmonics(4, 1.4),
    ),
  spacealarm: () =>
    repeated(
      modulated(
        587,
        0.34,
        0.5,
        (t) => 1 + 6 * t,
        (t) => gate(t, 0.34, 0.02),
      ),
      0.42,
      4,
    ),
  tugboat: () =>
    mix(
      [0, brass(0.5)(110)],
      [0, brass(0.5)(138.6), 0.7],
      [0.65, brass(1.1)(110)],
      [0.65, brass(1.1)(138.6), 0.7],
    ),
  alien: () =>
    glide(
      5,
      (t) => 500 + 220 * sine(6 + 2 * sine(0.4, t), t) + 180 * sine(0.8, t),
      (t) => gate(t, 5, 0.1) * (0.75 + 0.25 * sine(12, t)),
    ),
  climb: () =>
    mix(
      ...Array.from(
        { length: 24 },
        (_, n): Part => [n * 0.22, plucked(note(-17 + n + (n % 2 ? 7 : 0)), 0.8, 0.994, 30 + n)],
      ),
    ),
  persistent: () =>
    repeated(
      mix(
        [0, struck(1047, 0.3, 0.12, BELL)],
        [0.15, struck(1319, 0.3, 0.12, BELL)],
        [0.3, struck(1568, 0.4, 0.15, BELL)],
      ),
      0.9,
      6,
    ),
  echo: () => echoed(peal(), 0.75, 0.62, 5),
  updown: () =>
    repeated(
      mix(
        ...[0, 4, 7, 12, 16, 12, 7, 4].map(
          (halfTones, n): Part => [n * 0.14, struck(note(halfTones - 5), 0.4, 0.14, WOOD)],
        ),
      ),
      1.12,
      4,
    ),
  vibrate: () => silence(0.4),
  none: () => silence(0.4),
};
