/** Pushover's built-in sounds: the names that a sender may give, and what they are called. */
export const SOUNDS: Readonly<Record<string, string>> = {
  pushover: 'Pushover (default)',
  bike: 'Bike',
  bugle: 'Bugle',
  cashregister: 'Cash Register',
  classical: 'Classical',
  cosmic: 'Cosmic',
  falling: 'Falling',
  gamelan: 'Gamelan',
  incoming: 'Incoming',
  intermission: 'Intermission',
  magic: 'Magic',
  mechanical: 'Mechanical',
  pianobar: 'Piano Bar',
  siren: 'Siren',
  spacealarm: 'Space Alarm',
  tugboat: 'Tug Boat',
  alien: 'Alien Alarm (long)',
  climb: 'Climb (long)',
  persistent: 'Persistent (long)',
  echo: 'Pushover Echo (long)',
  updown: 'Up Down (long)',
  vibrate: 'Vibrate Only',
  none: 'None (silent)',
};

/** Short names of the built-in sounds. Pushover's sync says `po` for the default; the others are our own choice. */
const SHORT: Readonly<Record<string, string>> = {
  po: 'pushover',
  bk: 'bike',
  bu: 'bugle',
  ch: 'cashregister',
  cl: 'classical',
  co: 'cosmic',
  fa: 'falling',
  gl: 'gamelan',
  ic: 'incoming',
  im: 'intermission',
  ma: 'magic',
  mc: 'mechanical',
  pb: 'pianobar',
  si: 'siren',
  sp: 'spacealarm',
  tg: 'tugboat',
  al: 'alien',
  cm: 'climb',
  pe: 'persistent',
  ec: 'echo',
  ud: 'updown',
  vi: 'vibrate',
  no: 'none',
};

/** The built-in sound that a name or a short name means; undefined for any other name. */
export function builtInSound(name: string): string | undefined {
  if (Object.hasOwn(SOUNDS, name)) return name;
  return Object.hasOwn(SHORT, name) ? SHORT[name] : undefined;
}
