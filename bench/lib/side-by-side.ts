/** Measures contestants in turns, so that what else the machine does meets them all alike. */

/** Something to be measured. */
export interface Contestant {
  name: string;
  /** Does the work once. */
  run(): void;
  /** How many units of work one run is. */
  units: number;
}

/** What was measured for one contestant, in units per second. */
export interface Rate {
  name: string;
  /** The median round. */
  median: number;
  slowest: number;
  fastest: number;
}

/**
 * Runs every contestant `rounds` times for `sliceMs`, in turns, after one slice to warm up.
 *
 * @returns one rate a contestant, in their order
 */
export function sideBySide(contestants: readonly Contestant[], rounds: number, sliceMs: number): Rate[] {
  for (const contestant of contestants) unitsPerSecond(contestant, sliceMs);
  const measured = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    contestants.forEach((contestant, i) => {
      measured[i]?.push(unitsPerSecond(contestant, sliceMs));
    });
  }
  return contestants.map(({ name }, i) => {
    const sorted = (measured[i] ?? []).toSorted((a, b) => a - b);
    const at = (index: number) => sorted[index] ?? Number.NaN;
    return { name, median: at(sorted.length >> 1), slowest: at(0), fastest: at(sorted.length - 1) };
  });
}

function unitsPerSecond(contestant: Contestant, sliceMs: number): number {
  const start = performance.now();
  const end = start + sliceMs;
  let runs = 0;
  let now = start;
  while (now < end) {
    contestant.run();
    runs++;
    now = performance.now();
  }
  return (runs * contestant.units * 1000) / (now - start);
}
