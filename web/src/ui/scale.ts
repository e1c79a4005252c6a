/** Where a scale from 0 ends that has round numbers: the next of 1, 2, 5, 10, 20, 50 … @param most a whole number */
export function ceilingOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most)!;
}
