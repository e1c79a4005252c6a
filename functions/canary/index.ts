/** The canary: invoked every few minutes, sends a message to itself and receives it. It has no grant to any data. */
import { canaryOf } from '../../lib/canary/credentials.ts';
import { CANARY_CALL, runCanary } from '../../lib/canary/run.ts';
import { createApi } from '../../lib/device/index.ts';
import { variable } from '../environment.ts';
import { createJournal } from '../journal.ts';
import { secretText } from '../secret.ts';

const journal = createJournal();
const readSecret = secretText('CANARY_SECRET');
const context = {
  api: createApi({ url: variable('API_URL'), timeoutMs: CANARY_CALL }),
  socket: variable('SOCKET_URL'),
  log: journal.log,
  count: journal.count,
  clock: Date.now,
};

export const handler = journal.wrap(async (_event: unknown): Promise<void> => {
  try {
    const canary = canaryOf(await readSecret());
    if (canary) return await runCanary(canary, context);
    // Off, which is no failure; but a run, so that its absence is told from one that does not start.
    journal.count('CanaryFailed', 0);
    journal.log('info', 'the canary is off: it has no credentials', {});
  } catch (error) {
    journal.count('CanaryFailed', 1);
    throw error;
  }
});
