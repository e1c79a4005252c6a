import type { Readings } from './readings.ts';
export function scalePage(_readings: Readings): string {
  return '';
}
