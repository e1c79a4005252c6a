/** `peal admin canary`: makes what sends a message to itself every few minutes. */
import type { Command } from 'commander';
import type { CanaryStatus } from '../../../functions/admin/canary.ts';
import { openOperator } from '../../admin/operator.ts';

const HELP = `
Makes an account of its own with an app and a device, and puts their credentials into the secret that the canary reads.
It runs from then on, as often as peal.config.ts says. Once more, it makes them anew.`;

export function registerCanary(admin: Command): void {
  admin
    .command('canary')
    .description('let Peal send a message to itself every few minutes')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(_options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { canary: user } = await operator.ask({ command: 'canary' }, 'canary');
  await operator.print({ user }, `The canary has its credentials. Its user key: ${user}`);
}

/** How the canary is, for `peal admin status`. */
export function canaryText(status: CanaryStatus): string {
  switch (status.state) {
    case 'off':
      return 'off (peal.config.ts)';
    case 'no credentials':
      return 'off, it has no credentials: peal admin canary';
    case 'on':
      return `every ${status.everyMinutes} min`;
  }
}
