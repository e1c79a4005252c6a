/** `peal admin canary`: makes what sends a message to itself every few minutes. */
import type { Command } from 'commander';
import type { CanaryStatus } from '../../functions/admin/canary.ts';
import type { AdminCommand } from '../../functions/admin/index.ts';
import { invokeAdmin } from '../admin/invoke.ts';
import { printResult } from '../output.ts';

const HELP = `
Makes an account of its own with an app and a device, and puts their credentials into the secret that the canary reads.
It runs from then on, as often as peal.config.ts says. Once more, it makes them anew.`;

/** @param functionOf finds the name of the operator's function in the options of a command */
export function registerCanary(admin: Command, functionOf: (options: { function?: string }) => string): void {
  admin
    .command('canary')
    .description('let Peal send a message to itself every few minutes')
    .addHelpText('after', HELP)
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<{ function?: string; json?: boolean }>();
      const request: AdminCommand = { command: 'canary' };
      const { canary: user } = await invokeAdmin(functionOf(options), request, 'canary');
      await printResult(
        options.json === true,
        { user },
        `The canary has its credentials. Its user key: ${user}`,
      );
    });
}

/** The canary in a line of `peal admin status`. */
export function canaryLine(status: CanaryStatus): string {
  switch (status.state) {
    case 'off':
      return 'Canary: off (peal.config.ts)';
    case 'no credentials':
      return 'Canary: off, it has no credentials: peal admin canary';
    case 'on':
      return `Canary: every ${status.everyMinutes} min`;
  }
}
