/** What `npm audit signatures` found, as far as it could look. */

/** `unknown`: the registry has no signatures, or could not be asked. */
export type Verdict = 'right' | 'unknown' | 'wrong';

/** How npm ended; `status` is null when it was stopped for taking too long. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Reads the end of npm's run. Only packages that npm has found wrong are a fault: no answer is none. */
export function signaturesOf({ status, stdout, stderr }: Ended): { verdict: Verdict; says: string } {
  const said = `${stdout}\n${stderr}`;
  if (status === 0) return { verdict: 'right', says: firstLine(stdout) };
  if (/\b(?:invalid|tampered|missing) (?:registry )?(?:signature|attestation)/i.test(said)) {
    return { verdict: 'wrong', says: said.trim() };
  }
  if (status === null) return { verdict: 'unknown', says: 'The registry did not answer in time.' };
  return { verdict: 'unknown', says: firstLine(stderr) || `npm ended with ${status}.` };
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';
