import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { failure } from '../../local/aws/intercept.ts';
import type { LogLine } from '../../local/lambda/protocol.ts';
import { WATCHED } from '../support/configs.ts';
import { measuredIn, totalOf } from '../support/metrics.ts';
import { post, usePeal } from '../support/peal.ts';

const peal = usePeal({
  config: WATCHED,
  expectedErrors: /canary|Canary|InternalServerError|request failed|signal: killed/,
});

const admin = async (command: object) =>
  (await peal().cloud.functionNamed('Admin').invoke(command)).payload as Record<string, unknown>;

/** Runs the canary as its schedule does. @returns its error, and what it logged */
async function run(): Promise<{ error: string | undefined; lines: LogLine[] }> {
  const { logs } = peal().cloud.functionNamed('Canary');
  const before = logs.length;
  const [result] = await peal().cloud.trigger('CanarySchedule');
  return { error: result!.error?.message, lines: logs.slice(before) };
}

/** The credentials that the canary has now. */
async function credentials(): Promise<Record<string, string>> {
  const { cloud } = peal();
  const [found] = cloud.engine.model
    .ofType('AWS::SecretsManager::Secret')
    .filter(({ logicalId }) => logicalId.startsWith('Canary'));
  const input = { SecretId: found!.ref };
  const { SecretString } = await cloud.front.send('local-root', 'secretsmanager', 'GetSecretValue', input);
  return JSON.parse(String(SecretString));
}

test('without credentials the canary is off, which is no failure, and says so', async () => {
  const { error, lines } = await run();
  const { canaryStatus } = await admin({ command: 'status' });

  assert.equal(error, undefined);
  assert.deepEqual(canaryStatus, { state: 'no credentials' });
  assert.match(JSON.stringify(lines), /it has no credentials/);
  assert.deepEqual(
    measuredIn(lines).map(({ name, values }) => [name, values]),
    [['CanaryFailed', [0]]],
  );
});

describe('with credentials', () => {
  const renew = async () => {
    assert.match(String((await admin({ command: 'canary' })).canary), /^u/);
    // A warm function reads them again after five minutes only.
    peal().cloud.functionNamed('Canary').kill();
  };
  before(renew);

  test('sends a message to itself over the API, gets it over socket and sync, and measures both', async () => {
    const { error, lines } = await run();

    assert.equal(error, undefined, JSON.stringify(lines));
    assert.deepEqual(
      measuredIn(lines)
        .map(({ name }) => name)
        .sort(),
      ['CanaryAccept', 'CanaryArrival', 'CanaryFailed'],
    );
    assert.equal(totalOf(lines, 'CanaryFailed'), 0);
    assert.ok(totalOf(lines, 'CanaryArrival') >= totalOf(lines, 'CanaryAccept'));
    assert.equal(lines.length, 1);
    const { everyMinutes } = (await admin({ command: 'status' })).canaryStatus as { everyMinutes: number };
    assert.equal(everyMinutes, 5);
  });

  test('leaves nothing in its mailbox, and clears what a run that died has left', async () => {
    const { token, user, device, secret } = await credentials();
    const waiting = async () => {
      const query = new URLSearchParams({ secret: secret!, device_id: device! });
      const answer = await fetch(`${peal().api}/1/messages.json?${query}`);
      return ((await answer.json()) as { messages: unknown[] }).messages.length;
    };
    for (const message of ['one', 'two'])
      await post(peal(), 'messages.json', { token: token!, user: user!, message });
    assert.equal(await waiting(), 2);

    const { error } = await run();

    assert.equal(error, undefined);
    assert.equal(await waiting(), 0);
  });

  test('runs at the same time do not fail each other', async () => {
    const results = await Promise.all([run(), run()]);

    assert.deepEqual(
      results.map(({ error }) => error),
      [undefined, undefined],
    );
  });

  test('a run fails, and says so, when the message is not accepted', async () => {
    const stop = peal().cloud.front.intercept(({ caller, action }) =>
      caller.name.includes('Send') && action === 'PutItem'
        ? failure(500, 'InternalServerError', 'no')
        : undefined,
    );

    const { error, lines } = await run();
    stop();

    assert.match(String(error), /could not send/);
    assert.equal(totalOf(lines, 'CanaryFailed'), 1);
    assert.equal(totalOf(lines, 'CanaryArrival'), 0);
  });

  test('a run that dies in the middle does not harm the next', async () => {
    const { cloud } = peal();
    const stop = cloud.front.intercept(({ caller, action }) => {
      if (caller.name.includes('Send') && action === 'SendMessageBatch') cloud.functionNamed('Canary').kill();
      return undefined;
    });
    const died = await run();
    stop();

    const next = await run();

    assert.match(String(died.error), /Runtime exited/);
    assert.equal(next.error, undefined);
  });

  test('it may read its own secret, and nothing else', async () => {
    await run();

    const roles = peal().cloud.iam.unusedGrants();
    assert.deepEqual(
      roles.filter(({ role, resource }) => /Canary/.test(role) || /Canary/.test(resource)),
      [],
    );
  });

  test('a run fails when its session is over, until it has new credentials', async () => {
    const { secret } = await credentials();
    await post(peal(), 'users/logout.json', { secret: secret! });

    const { error, lines } = await run();
    await renew();
    const next = await run();

    assert.match(String(error), /could not connect.*refused|signed-out/);
    assert.equal(totalOf(lines, 'CanaryFailed'), 1);
    assert.equal(next.error, undefined);
  });
});
