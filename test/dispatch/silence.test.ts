/**
 * Whoever never answers holds up nobody but themselves: neither the browsers at the makers' services, nor those at a
 * service that nobody has heard of.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { after, before, test } from 'node:test';
import { newDevice } from '../support/devices.ts';
import { newAccount, openPeal, post, type TestAccount, type TestPeal } from '../support/peal.ts';

/** Longest wait for something that is bound to happen. Milliseconds. */
const LIMIT = 20_000;
const ATTACKERS = 2;
const HOSTS_EACH = 5;
/** Of each attacker: with two environments a lane, of batches of ten, several rounds of both. */
const MESSAGES = 12;

/** A push service that keeps every request until it is let go, then takes all. */
const held = new Set<() => void>();
/** Topics that it has taken, with the host that was asked. */
const taken = new Set<string>();
let isSilent = true;
const silent = createServer((request, response) => {
  const accept = () => {
    taken.add(`${request.headers.host} ${request.headers.topic}`);
    response.writeHead(201).end();
  };
  request.resume();
  if (!isSilent) return accept();
  held.add(accept);
  response.on('close', () => held.delete(accept));
});

/** A service of somebody's own, which answers. */
const own = createSecureServer({}, (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(201);
    response.end();
  });
});

let peal: TestPeal;

before(async () => {
  for (const server of [silent, own]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  peal = await openPeal({
    pollConcurrency: 2,
    // A name in the DNS for all that are asked for.
    hosts: { '*.silent.example:443': portOf(silent), 'push.own.example:443': portOf(own) },
  });
  const names = ['*.silent.example', 'push.own.example'];
  const context: ServerOptions = await peal.cloud.authority.issue(names);
  for (const server of [silent, own]) server.setSecureContext(context);
});

after(async () => {
  isSilent = false;
  for (const release of held) release();
  await peal.close();
  silent.closeAllConnections();
  for (const server of [silent, own]) server.close();
  assert.deepEqual(
    peal.lines.filter(({ level }) => level === 'error'),
    [],
  );
});

/** An account whose browsers are at these hosts; without one, at Mozilla's. */
async function browsersAt(hosts: (string | undefined)[]): Promise<TestAccount> {
  const account = await newAccount(peal);
  for (const host of hosts) {
    const { target } = peal.carriers.subscribe('firefox');
    const push = host === undefined ? target : { ...target, endpoint: `https://${host}/wp/subscription` };
    await newDevice(account, { platform: 'web', push });
  }
  return account;
}

async function send({ token, user }: TestAccount, message: string): Promise<void> {
  const { status } = await post(peal, 'messages.json', { token, user, message });
  assert.equal(status, 200);
}

/** Records on a queue. */
const recordsOn = (name: string) => peal.cloud.engine.queueState(peal.cloud.queue(name).name);

test('silent push services hold up their own messages alone, and none of these is lost', async () => {
  const attackers: TestAccount[] = [];
  for (let n = 0; n < ATTACKERS; n++) {
    const hosts = Array.from({ length: HOSTS_EACH }, (_, h) => `${n}-${h}.silent.example`);
    attackers.push(await browsersAt(hosts));
  }
  const innocent = await browsersAt([undefined, 'push.own.example']);
  const answered = once(own, 'request', { signal: AbortSignal.timeout(LIMIT) });

  const sendAll = async (attacker: TestAccount) => {
    for (let n = 0; n < MESSAGES; n++) await send(attacker, `attack ${n}`);
  };
  await Promise.all(attackers.map(sendAll));
  await send(innocent, 'innocent');
  await Promise.all([peal.carriers.journal.waitFor(1, LIMIT), answered]);
  const tookWhile = { held: held.size, taken: taken.size };
  await peal.cloud.poller('WebpushPush').drained();
  const slow = recordsOn('WebpushSlowQueue');
  // What the slow lane would hold back for a while comes back at once.
  const stop = peal.cloud.front.intercept(({ action, input }) => {
    if (action !== 'SendMessageBatch') return undefined;
    const Entries = (input.Entries as object[]).map((entry) => ({ ...entry, DelaySeconds: 0 }));
    return { input: { ...input, Entries } };
  });
  isSilent = false;
  for (const release of held) release();
  await peal.cloud.poller('WebpushPush', 'WebpushSlow').drained();
  stop();

  assert.ok(tookWhile.held > 0, 'the innocent were served while others were being waited for');
  assert.equal(tookWhile.taken, 0);
  assert.ok(slow.ready + slow.inFlight > 0, 'what was left of the attack is in the slow lane');
  assert.equal(taken.size, ATTACKERS * HOSTS_EACH * MESSAGES);
});
