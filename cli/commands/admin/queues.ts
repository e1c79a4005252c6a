/** `peal admin status` and `redrive`. */
import type { Command } from 'commander';
import { openOperator } from '../../admin/operator.ts';
import { table } from '../../output.ts';
import { readVersion } from '../../version.ts';
import { canaryText } from './canary.ts';

export function registerQueues(admin: Command): void {
  admin
    .command('status')
    .description('versions, sign-up, quota, canary, how the queues are, and which carriers have credentials')
    .action(status);
  admin.command('redrive <queue>').description('put the dead letters of a queue back on it').action(redrive);
}

async function status(_options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  const answer = await operator.ask({ command: 'status' }, 'queues');
  const { version, signUp, quota, queues, canaryStatus: canary } = answer;
  const api = operator.apiAt(answer.api);
  const own = readVersion();
  const rows = queues.map(({ name, credentials, waiting, slow, deadLetters }) => [
    name,
    credentials ?? 'needs none',
    String(waiting),
    slow === undefined ? 'none' : String(slow),
    String(deadLetters),
  ]);
  const lines = [
    `Version:  ${version} deployed${own === version ? '' : `, ${own} here`}`,
    `API:      ${api}`,
    `Sign-up:  ${signUp}`,
    `Quota:    ${quota === 0 ? 'none' : `${quota} a month and account`}`,
    `Canary:   ${canaryText(canary)}`,
  ];
  const text = `${lines.join('\n')}\n\n${table(['QUEUE', 'CREDENTIALS', 'WAITING', 'SLOW', 'DEAD LETTERS'], rows)}`;
  await operator.print({ version, command_version: own, api, sign_up: signUp, quota, canary, queues }, text);
}

async function redrive(queue: string, _options: object, command: Command): Promise<void> {
  const operator = openOperator(command);
  const { records, expired, unreadable } = await operator.ask({ command: 'redrive', queue }, 'records');
  const text = `${records} put back, ${expired} expired and deleted, ${unreadable} unreadable and left.`;
  await operator.print({ records, expired, unreadable }, text);
}
