import { type Party, type SilenceLimits, Silences } from '../net/silence.ts';
import type { Clock } from '../storage/table.ts';
import type { Carrier, Outcome, Push } from './carrier.ts';

/** Who is asked for a push; undefined if the carrier asks nobody for it. */
export type PartyOf = (push: Push) => Party | undefined;

/**
 * A carrier that leaves alone for a while who was silent: what is for them fails at once, as silence.
 *
 * @param partyOf who is asked; only what an account has named bears the account
 */
export function patient(carrier: Carrier, limits: SilenceLimits, partyOf: PartyOf, clock: Clock): Carrier {
  const silences = new Silences(limits, clock);
  return {
    async send(push: Push): Promise<Outcome> {
      const party = partyOf(push);
      if (!party) return carrier.send(push);
      const wait = silences.wait(party);
      if (wait > 0) {
        const reason = `${party.host} is left alone for now`;
        return { kind: 'failed', reason, retryAfter: Math.ceil(wait / 1000), silent: party.host };
      }
      const since = clock();
      const outcome = await silences.ask(party, () => carrier.send(push));
      if (outcome.kind === 'failed' && outcome.silent !== undefined)
        silences.silent({ ...party, host: outcome.silent }, since);
      else silences.answered(party.host);
      return outcome;
    },
    close: () => carrier.close(),
  };
}
