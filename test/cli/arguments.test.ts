/** Whatever Peal makes up, a command takes it for the argument that it is, and never for an option. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { deviceName } from '../../cli/listen/device.ts';
import { buildProgram } from '../../cli/program.ts';
import { GENERATORS } from '../protocol/generators.ts';

/** The commands that take arguments other than words of their own, by their names. */
function taking(command: Command, words: string[] = []): [words: string[], command: Command][] {
  const below = command.commands.flatMap((one) => taking(one, [...words, one.name()]));
  return command.registeredArguments.some(({ argChoices }) => !argChoices)
    ? [[words, command], ...below]
    : below;
}

/** What a command takes for its arguments. */
async function taken(path: string[], given: string): Promise<unknown[]> {
  const program = buildProgram();
  const [, command] = taking(program).find(([words]) => words.join(' ') === path.join(' '))!;
  const values = command.registeredArguments.map((argument) => argument.argChoices?.[0] ?? given);
  command.configureOutput({ writeErr: () => {} });
  const { promise, resolve } = Promise.withResolvers<unknown[]>();
  command.action((...args: unknown[]) => resolve(args.slice(0, values.length)));
  await program.parseAsync(['node', 'peal', ...path, ...values]);
  return (await promise).flat();
}

const COMMANDS = taking(buildProgram()).map(([words]) => words);

test('every command takes what is made up for its argument', async () => {
  assert.ok(COMMANDS.length > 10);
  for (const path of COMMANDS) {
    for (const [what, { make }] of Object.entries(GENERATORS)) {
      const given = await make(1);

      const args = await taken(path, given);

      assert.ok(args.includes(given), `${path.join(' ')} with a ${what}: ${args}`);
    }
  }
});

test('what begins with a dash is taken for an option, so nothing that is made up may', async () => {
  await assert.rejects(taken(['admin', 'invitations', 'revoke'], '-qmDj5pQw8rTy2Az'), /unknown option/);
});

test('a device that is named after its computer is no option, whatever the computer is called', async () => {
  for (const host of ['-dash', 'ärger', '--', '- -x', '.local', 'ü'.repeat(40)]) {
    const name = deviceName(host);

    assert.match(name, /^[A-Za-z0-9_][A-Za-z0-9_-]{0,24}$/);
    assert.ok((await taken(['device', 'rename'], name)).includes(name));
  }
});
