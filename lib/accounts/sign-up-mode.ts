import type { SignUpMode } from './accounts.ts';

/** Reads a sign-up mode. @throws Error that says what is allowed */
export function signUpMode(text: string): SignUpMode {
  if (text === 'open' || text === 'invitation' || text === 'closed') return text;
  throw new Error(`sign-up must be open, invitation or closed, not ${JSON.stringify(text)}`);
}
