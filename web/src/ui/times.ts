/** Times as people say them here. */
import { text } from '../text.ts';

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const dayAndYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const whole = new Intl.DateTimeFormat('en', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
const exact = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

const DAY_MS = 86_400_000;

/** @param seconds Unix time */
export const timeOf = (seconds: number): string => time.format(seconds * 1000);
/** Dates in English, as the app speaks; the clock as the browser's owner has it, as in the list. */
export const wholeTime = (seconds: number): string =>
  `${whole.format(seconds * 1000)}, ${exact.format(seconds * 1000)}`;
export const dateOf = (seconds: number): string => date.format(seconds * 1000);
export const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** A time that follows another: with its date, unless that is the same. */
export const timeFrom = (seconds: number, start: number): string =>
  dateOf(seconds) === dateOf(start) ? timeOf(seconds) : moment.format(seconds * 1000);

/** The day as a heading: Today, Yesterday, Monday, 2 March, and with its year if it is not this one. */
export function dayOf(seconds: number, now = new Date()): string {
  const date = new Date(seconds * 1000);
  const days = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  if (days === 0) return text.list.today;
  if (days === 1) return text.list.yesterday;
  return date.getFullYear() === now.getFullYear() ? day.format(date) : dayAndYear.format(date);
}

const midnight = (date: Date) => new Date(date).setHours(0, 0, 0, 0);
