import assert from 'node:assert/strict';
import type { AdminCommand, AnswerOf, CommandName } from '../../functions/admin/index.ts';
import type { Peal } from '../../local/peal.ts';

/** Asks the operator's function, which must not refuse. */
export async function admin<Name extends CommandName>(
  { cloud }: Peal,
  command: AdminCommand<Name>,
): Promise<AnswerOf<Name>> {
  const { payload, error } = await cloud.functionNamed('Admin').invoke(command);
  assert.equal(error, undefined);
  const { errors } = Object(payload);
  assert.equal(errors, undefined);
  return payload as AnswerOf<Name>;
}

/** What the operator's function refuses with, in sentences. */
export async function adminRefusal<Name extends CommandName>(
  { cloud }: Peal,
  command: AdminCommand<Name>,
): Promise<string[]> {
  const { payload, error } = await cloud.functionNamed('Admin').invoke(command);
  assert.equal(error, undefined);
  const { errors } = Object(payload);
  assert.ok(Array.isArray(errors), `it did not refuse: ${JSON.stringify(payload)}`);
  return errors;
}
