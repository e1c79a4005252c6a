/** Times and durations as people write and read them. */
import { InvalidArgumentError } from 'commander';

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration such as `90`, `90s`, `15m`, `2h`, `7d`, in seconds. Throws InvalidArgumentError for anything else. */
export function parseDuration(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  if (digits === '') throw new InvalidArgumentError('Give seconds, or a number with s, m, h or d.');
  return Number(digits) * (UNIT_SECONDS[unit] ?? 1);
}

/** A time as Unix seconds or as a date (ISO 8601), in Unix seconds. Throws InvalidArgumentError for anything else. */
export function parseTime(text: string): number {
  if (/^\d{1,11}$/.test(text)) return Number(text);
  const milliseconds = Date.parse(text);
  if (!/^\d{4}-/.test(text) || Number.isNaN(milliseconds)) {
    throw new InvalidArgumentError('Give Unix seconds, or a date like 2030-01-31T12:00:00Z.');
  }
  return Math.floor(milliseconds / 1000);
}

/** The day of a time in Unix seconds, in UTC. */
export function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** A time in Unix seconds, as `2030-01-31 12:00:00`, in the zone of this machine. */
export function clock(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const days = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${days} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
