/**
 * What the built-in sounds are made of: small instruments that answer samples between −1 and 1, and ways to put them
 * together. All of it is arithmetic with a seeded noise, so that a sound comes out the same each time.
 */

/** Samples a second. The highest partial that is used is below half of it. */
export const RATE = 24_000;

export type Samples = Float32Array<ArrayBuffer>;

const TAU = 2 * Math.PI;

/** Samples of a function of time, in seconds. */
export function render(seconds: number, at: (t: number) => number): Samples {
  return Float32Array.from({ length: Math.round(seconds * RATE) }, (_, n) => at(n / RATE));
}

/** Silence. */
export const silence = (seconds: number): Samples => render(seconds, () => 0);

/** A sine of this frequency. */
export const sine = (frequency: number, t: number): number => Math.sin(TAU * frequency * t);

/** Rises from 0 to 1 within `attack` seconds, then falls by a factor e every `decay` seconds. */
export function envelope(t: number, attack: number, decay: number): number {
  return t < attack ? t / attack : Math.exp(-(t - attack) / decay);
}

/** 1 within a note of `seconds`, with edges that do not click. */
export function gate(t: number, seconds: number, edge = 0.012): number {
  return Math.max(0, Math.min(1, t / edge, (seconds - t) / edge));
}

/** Frequency of a note, in half tones above A at 440 Hz. */
export const note = (halfTones: number): number => 440 * 2 ** (halfTones / 12);

/** Noise between −1 and 1 (mulberry32). */
export function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Partials of a struck bar or bell: frequency ratio, loudness, and how long it rings beside the fundamental. */
export type Partials = readonly (readonly [ratio: number, gain: number, ring: number])[];

export const BELL: Partials = [
  [1, 1, 1],
  [2, 0.5, 0.8],
  [2.41, 0.35, 0.5],
  [3, 0.25, 0.4],
  [4.5, 0.15, 0.25],
  [5.33, 0.1, 0.2],
];
export const GONG: Partials = [
  [1, 1, 1],
  [1.47, 0.5, 0.7],
  [2.09, 0.4, 0.5],
  [2.56, 0.3, 0.4],
  [3.98, 0.2, 0.2],
];
export const WOOD: Partials = [
  [1, 1, 1],
  [3.93, 0.3, 0.3],
];

/** Something that is struck. */
export function struck(frequency: number, seconds: number, ring: number, partials: Partials): Samples {
  return render(seconds, (t) =>
    partials.reduce(
      (sum, [ratio, gain, length]) =>
        frequency * ratio < RATE / 2.2
          ? sum + gain * envelope(t, 0.002, ring * length) * sine(frequency * ratio, t)
          : sum,
      0,
    ),
  );
}

/** A plucked string (Karplus and Strong): noise that runs round a delay line and loses its highs. */
export function plucked(frequency: number, seconds: number, damping = 0.996, seed = 1): Samples {
  const random = noise(seed);
  const line = Float64Array.from({ length: Math.round(RATE / frequency) }, random);
  let at = 0;
  return render(seconds, (t) => {
    const next = (at + 1) % line.length;
    const sample = line[at]!;
    line[at] = ((sample + line[next]!) / 2) * damping;
    at = next;
    return sample * gate(t, seconds, 0.004);
  });
}

/** Frequency modulation (Chowning): a carrier, and a modulator at `ratio` times its frequency. */
export function modulated(
  frequency: number,
  seconds: number,
  ratio: number,
  index: (t: number) => number,
  loudness: (t: number) => number,
): Samples {
  return render(
    seconds,
    (t) => loudness(t) * Math.sin(TAU * frequency * t + index(t) * sine(frequency * ratio, t)),
  );
}

/** A tone whose frequency moves. `shape` is one period, of a phase in turns. */
export function glide(
  seconds: number,
  frequency: (t: number) => number,
  loudness: (t: number) => number,
  shape: (turns: number) => number = (turns) => Math.sin(TAU * turns),
): Samples {
  let turns = 0;
  return render(seconds, (t) => {
    turns += frequency(t) / RATE;
    return loudness(t) * shape(turns);
  });
}

/** A period with `count` harmonics that fall off by `slope`: brass, reeds, horns. */
export function harmonics(count: number, slope: number): (turns: number) => number {
  return (turns) => {
    let sum = 0;
    for (let n = 1; n <= count; n++) sum += Math.sin(TAU * turns * n) / n ** slope;
    return sum;
  };
}

/** Noise that went through a low-pass filter of one pole. */
export function hiss(
  seconds: number,
  cutoff: number,
  loudness: (t: number) => number,
  seed: number,
): Samples {
  const random = noise(seed);
  const share = 1 - Math.exp((-TAU * cutoff) / RATE);
  let state = 0;
  return render(seconds, (t) => {
    state += share * (random() - state);
    return loudness(t) * state;
  });
}

/** A part of a mix: what sounds, from which second, how loud. */
export type Part = readonly [start: number, samples: Samples, gain?: number];

/** Parts together, as long as the last of them. */
export function mix(...parts: Part[]): Samples {
  const length = Math.max(...parts.map(([start, samples]) => Math.round(start * RATE) + samples.length));
  const out = new Float32Array(length);
  for (const [start, samples, gain = 1] of parts) {
    const first = Math.round(start * RATE);
    for (let n = 0; n < samples.length; n++) out[first + n]! += gain * samples[n]!;
  }
  return out;
}

/** A sound, and its echoes: each `delay` seconds later and weaker by `feedback`. */
export function echoed(samples: Samples, delay: number, feedback: number, times: number): Samples {
  return mix(...Array.from({ length: times + 1 }, (_, n): Part => [n * delay, samples, feedback ** n]));
}

/** A sound over and over, every `period` seconds. */
export function repeated(samples: Samples, period: number, times: number): Samples {
  return mix(...Array.from({ length: times }, (_, n): Part => [n * period, samples]));
}

/** Root mean square of the loudest 100 ms: what a sound is about as loud as. */
export function loudness(samples: Samples): number {
  const window = RATE / 10;
  let loudest = 0;
  for (let start = 0; start === 0 || start + window <= samples.length; start += window / 2) {
    let sum = 0;
    for (let n = start; n < Math.min(start + window, samples.length); n++) sum += samples[n]! ** 2;
    loudest = Math.max(loudest, Math.sqrt(sum / window));
  }
  return loudest;
}

/** Highest absolute sample. */
export const peak = (samples: Samples): number => samples.reduce((top, x) => Math.max(top, Math.abs(x)), 0);

/** All sounds are as loud as each other, at −15 dBFS, unless their peaks would pass −2 dBFS. */
const LOUD = 10 ** (-15 / 20);
const HIGHEST = 10 ** (-2 / 20);

/** A sound at the common loudness, with an end that does not click. */
export function finished(samples: Samples): Samples {
  const gain = Math.min(LOUD / loudness(samples), HIGHEST / peak(samples));
  if (!Number.isFinite(gain)) return samples;
  const seconds = samples.length / RATE;
  return samples.map((sample, n) => sample * gain * Math.min(1, (seconds - n / RATE) / 0.03));
}
