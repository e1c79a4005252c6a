/**
 * Sounds: the files that Peal serves, the same for all devices. What cannot be loaded is a few notes that the page makes
 * itself, since an emergency has to be heard.
 */
import type { Config } from './config.ts';

/** Frequency in Hz, start and length in seconds. */
type Note = readonly [frequency: number, start: number, length: number];

const BELL: readonly Note[] = [
  [880, 0, 0.9],
  [1108.7, 0.12, 0.9],
];
const ALARM: readonly Note[] = [0, 0.5, 1, 1.5].flatMap((at): Note[] => [
  [932.3, at, 0.22],
  [698.5, at + 0.24, 0.22],
]);

/** How a device shakes. Milliseconds on, off, on. */
export const SHAKE = [200, 100, 200];

/** A message is not shown before its sound is there, or this long. The sound goes on coming, for the next message. */
const PATIENCE_MS = 3000;

/** What takes longer does not come. Milliseconds. */
const FETCH_MS = 20_000;

/** Decoded sounds that are kept: the longest is 11 MB. */
const KEPT = 6;

/** What a message sounds like. */
export interface Sounding {
  config: Config;
  /** The sender's choice: a name or the id of a file; absent: the device's default. */
  name: string | undefined;
  /** The device's default. */
  standard: string;
  priority: number;
  /** Finds the account's own sounds: id by name. */
  own(): Promise<ReadonlyMap<string, string>>;
}

/** The sound that a message makes; the sender may ask for silence, and so may the device's owner. */
export const soundOf = (name: string | undefined, standard: string): string => name ?? standard;

let context: AudioContext | undefined;
const loaded = new Map<string, Promise<AudioBuffer | undefined>>();

/**
 * Plays the sound of a message.
 *
 * @returns whether it is heard: browsers are mute until somebody has clicked or typed in the page
 */
export async function playSound(sounding: Sounding): Promise<boolean> {
  const { name, standard, priority } = sounding;
  const wanted = soundOf(name, standard);
  if (wanted === 'none') return true;
  if (!navigator.userActivation.hasBeenActive) return false;
  if (wanted === 'vibrate') {
    navigator.vibrate?.(SHAKE);
    return true;
  }
  context ??= new AudioContext();
  if (context.state !== 'running') await context.resume();
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS));
  const buffer = await Promise.race([find(context, sounding, wanted), late]);
  if (buffer) play(context, buffer);
  else for (const note of priority === 2 ? ALARM : BELL) ring(context, note);
  return true;
}

/** By its name or id, then by its name among the account's own, then the default. @returns undefined: none can be had */
async function find(
  audio: AudioContext,
  { config, standard, own }: Sounding,
  wanted: string,
): Promise<AudioBuffer | undefined> {
  const named = await load(audio, config, wanted);
  if (named) return named;
  const id = (await own().catch(() => undefined))?.get(wanted);
  const owned = id === undefined ? undefined : await load(audio, config, id);
  if (owned) return owned;
  return wanted === standard || standard === 'none' || standard === 'vibrate'
    ? undefined
    : load(audio, config, standard);
}

/** The browser's own cache has the files for as long as Peal said; what failed is tried again the next time. */
function load(audio: AudioContext, config: Config, name: string): Promise<AudioBuffer | undefined> {
  const known = loaded.get(name);
  if (known) return known;
  const loading = fetchSound(audio, `${config.api}/sounds/${encodeURIComponent(name)}.mp3`).catch(() => {
    loaded.delete(name);
    return undefined;
  });
  loaded.set(name, loading);
  const [oldest] = loaded.keys();
  if (loaded.size > KEPT && oldest !== undefined) loaded.delete(oldest);
  return loading;
}

async function fetchSound(audio: AudioContext, url: string): Promise<AudioBuffer> {
  const response = await fetch(url, { credentials: 'omit', signal: AbortSignal.timeout(FETCH_MS) });
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return audio.decodeAudioData(await response.arrayBuffer());
}

function play(audio: AudioContext, buffer: AudioBuffer): void {
  const source = new AudioBufferSourceNode(audio, { buffer });
  source.connect(audio.destination);
  source.start();
}

/** One note that fades out. */
function ring(audio: AudioContext, [frequency, at, length]: Note): void {
  const start = audio.currentTime + at;
  const tone = new OscillatorNode(audio, { frequency, type: 'sine' });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.25, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, start + length);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + length);
}
