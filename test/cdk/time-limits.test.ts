/** The kind of fault: a function whose calls may take longer than it lives, so that it dies before it says what failed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WORK_MS } from '../../functions/admin/work.ts';
import { CANARY_CALL, CANARY_LIMITS } from '../../lib/canary/run.ts';
import { BUDGETS, longest } from '../../lib/net/aws-client.ts';
import { type Synthesized, stacksWith } from './in-process.ts';

/** Everything that is deployed, with all that can be configured turned on. */
const stacks = stacksWith({
  waf: true,
  region: 'us-east-1',
  tracing: true,
  canary: 5,
  alarms: 'ops@example.org',
});

/** A start with a little work of its own. Milliseconds. */
const START = 1_000;

/** What a function does besides calling AWS, at most, by the beginning of its logical id. Milliseconds. */
const WORK: Record<string, number> = {
  // A hand-off to a carrier, and a callback.
  Fcm: 10_000,
  Apns: 10_000,
  Webpush: 10_000,
  ReceiptsCallbackWorker: 10_000,
  Admin: WORK_MS,
  CanaryRun: Object.values(CANARY_LIMITS).reduce((sum, limit) => sum + limit, 0) + CANARY_CALL,
};

/** Calls one after the other of which each may use all its tries: one that fails, and one that undoes or notes it. */
const IN_A_ROW: Record<string, number> = {
  // Reads, and answers.
  EdgeAuthorizer: 1,
  CanaryRun: 1,
};

/** Which budgets a role's actions mean. */
const PURPOSES: Record<string, (keyof typeof BUDGETS)[]> = {
  dynamodb: ['dynamodb', 'dynamodb-once'],
  'execute-api': ['sockets'],
  logs: [],
  s3: ['s3'],
  secretsmanager: ['secretsmanager'],
  sqs: ['sqs', 'sqs-receive'],
  xray: [],
};

const byPrefix = (all: Record<string, number>, id: string): number | undefined =>
  Object.entries(all).find(([prefix]) => id.startsWith(prefix))?.[1];

interface Deployed {
  id: string;
  /** Milliseconds. */
  timeout: number;
  services: Set<string>;
}

/** The functions that have Peal's own code, with the services that their roles may call. */
function functionsOf({ Resources }: Synthesized): Deployed[] {
  const found: Deployed[] = [];
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    const { Role, Environment, Timeout } = Properties as {
      Role?: { 'Fn::GetAtt': [string] };
      Environment?: { Variables: Record<string, unknown> };
      Timeout?: number;
    };
    if (Type !== 'AWS::Lambda::Function' || Environment?.Variables.STAGE === undefined) continue;
    const services = new Set<string>();
    for (const policy of Object.values(Resources)) {
      const { Roles, PolicyDocument } = policy.Properties as {
        Roles?: { Ref: string }[];
        PolicyDocument?: { Statement: { Action: string | string[] }[] };
      };
      if (policy.Type !== 'AWS::IAM::Policy' || Roles?.[0]?.Ref !== Role?.['Fn::GetAtt'][0]) continue;
      for (const { Action } of PolicyDocument!.Statement) {
        for (const action of [Action].flat()) services.add(action.split(':')[0]!);
      }
    }
    found.push({ id, timeout: Timeout! * 1000, services });
  }
  return found;
}

test('a function that meets a silent service has time for all tries of a call, to clear up, and to answer', () => {
  const all = Object.values(stacks).flatMap(functionsOf);
  const ids = new Set(all.map(({ id }) => id));

  assert.ok(ids.size > 18, [...ids].join());
  for (const each of [WORK, IN_A_ROW]) {
    for (const prefix of Object.keys(each)) {
      assert.ok(
        [...ids].some((id) => id.startsWith(prefix)),
        `there is no function ${prefix} among ${[...ids]}`,
      );
    }
  }
  for (const { id, timeout, services } of all) {
    const calls = [...services].flatMap((service) => PURPOSES[service]!).map((one) => longest(BUDGETS[one]));
    const needed = START + (byPrefix(WORK, id) ?? 0) + (byPrefix(IN_A_ROW, id) ?? 2) * Math.max(0, ...calls);

    assert.ok(needed <= timeout, `${id} has ${timeout} ms and may need ${needed}`);
  }
});

test('the operator’s command waits for as long as the operator’s function may take', () => {
  const [admin] = functionsOf(stacks.PealApi!).filter(({ id }) => id.startsWith('Admin'));

  assert.ok(BUDGETS.operator.limit > admin!.timeout + 5_000);
});
