/** Sounds, made in the page: a few notes each, so that nothing has to be loaded. */

/** Frequency in Hz, start and length in seconds. */
type Note = readonly [frequency: number, start: number, length: number];

const BELL: readonly Note[] = [
  [880, 0, 0.9],
  [1108.7, 0.12, 0.9],
];
const CHIME: readonly Note[] = [
  [659.3, 0, 0.5],
  [784, 0.14, 0.5],
  [987.8, 0.28, 0.8],
];
const LOW: readonly Note[] = [
  [220, 0, 0.7],
  [174.6, 0.3, 0.9],
];
const ALARM: readonly Note[] = [0, 0.5, 1, 1.5].flatMap((at): Note[] => [
  [932.3, at, 0.22],
  [698.5, at + 0.24, 0.22],
]);

/** Pushover's names by how they sound here; all others are a bell. */
const SOUNDS: Readonly<Record<string, readonly Note[]>> = {
  none: [],
  vibrate: [],
  bike: CHIME,
  cashregister: CHIME,
  classical: CHIME,
  cosmic: CHIME,
  gamelan: CHIME,
  incoming: CHIME,
  intermission: CHIME,
  magic: CHIME,
  pianobar: CHIME,
  bugle: LOW,
  falling: LOW,
  tugboat: LOW,
  updown: LOW,
  alien: ALARM,
  climb: ALARM,
  persistent: ALARM,
  siren: ALARM,
  spacealarm: ALARM,
};

let context: AudioContext | undefined;

/**
 * Plays the sound of a message.
 *
 * @returns whether it is heard: browsers are mute until somebody has clicked or typed in the page
 */
export async function playSound(name: string | undefined, priority: number): Promise<boolean> {
  const notes = SOUNDS[name ?? ''] ?? (priority === 2 ? ALARM : BELL);
  if (notes.length === 0) return true;
  if (!navigator.userActivation.hasBeenActive) return false;
  context ??= new AudioContext();
  if (context.state !== 'running') await context.resume();
  for (const [frequency, start, length] of notes)
    ring(context, frequency, context.currentTime + start, length);
  return true;
}

/** One note that fades out. */
function ring(audio: AudioContext, frequency: number, start: number, length: number): void {
  const tone = new OscillatorNode(audio, { frequency, type: 'sine' });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.25, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, start + length);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + length);
}
