import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createEvent } from '../../local/http-api/event.ts';
import { newDevice } from '../support/devices.ts';
import { newAccount, usePeal } from '../support/peal.ts';
import { exchange } from '../support/raw-http.ts';
import {
  damagedRequests,
  type Expected,
  encode,
  expectedOf,
  type GivenRequest,
  givenRequests,
  noise,
  type WireRequest,
} from '../support/send-requests.ts';

/** `FUZZ_SEED=7 FUZZ_RUNS=100000 node --test …` looks further. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_125);
const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
/** Requests between two looks at what has arrived: a look costs as much as to send. */
const BATCH = 10;

const API = { apiId: 'fuzz', accountId: '000000000000', stage: '$default', domainName: 'fuzz.example.org' };

const peal = usePeal();

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** Asks the function itself, with the event that API Gateway would make of the request. */
async function invoke({ target, contentType, body }: WireRequest): Promise<Answer> {
  const rawHeaders = [
    'Host',
    API.domainName,
    ...(contentType === undefined ? [] : ['Content-Type', contentType]),
  ];
  const request = { method: 'POST', target, rawHeaders, body, sourceIp: '192.0.2.1', secure: true };
  const match = { route: { routeKey: 'POST /1/messages.json', functionArn: '' }, parameters: {} };
  const event = createEvent(request, match, API, 'fuzz', Date.now());
  const { payload, error } = await peal().cloud.functionNamed('Send').invoke(event);
  assert.equal(error, undefined);
  const { statusCode, body: text } = payload as { statusCode: number; body: string };
  return { status: statusCode, body: JSON.parse(text) };
}

/** Asks over a socket; the body comes in one piece, or in two chunks. */
async function post({ target, contentType, body }: WireRequest, chunked: boolean): Promise<Answer> {
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const head = `POST ${target} HTTP/1.1\r\nHost: x\r\n${type}${length}\r\n\r\n`;
  const half = body.length >> 1;
  const pieces = chunked
    ? [body.subarray(0, half), body.subarray(half), Buffer.alloc(0)]
        // An empty chunk ends a body.
        .filter(({ length: size }, at) => size > 0 || at === 2)
        .flatMap((piece) => [`${piece.length.toString(16)}\r\n`, piece, '\r\n'])
    : [body];
  const bytes = Buffer.concat([head, ...pieces].map((piece) => Buffer.from(piece)));
  const answer = await exchange(peal(), bytes);
  return { status: answer.status, body: JSON.parse(answer.body.toString()) };
}

describe('any request to send a message', () => {
  let token: string;
  let user: string;
  let secret: string;
  let device: string;
  /** The newest message that the device has seen. */
  let newest = 0;
  /** How many of the cases were accepted. */
  let accepted = 0;

  before(async () => {
    const account = await newAccount(peal());
    ({ token, user, secret } = account);
    device = (await newDevice(account, { platform: 'open', name: 'phone' })).id;
    // To tell the device of each message would cost more than all that is tested here.
    await peal().cloud.poller('DesktopPush').close();
  });

  /** What came to wait for the device since the last look. */
  async function arrived(): Promise<Record<string, unknown>[]> {
    const query = new URLSearchParams({ secret, device_id: device, after: String(newest) });
    const request = { target: `/1/messages.json?${query}`, contentType: undefined, body: Buffer.alloc(0) };
    const incoming = { ...request, method: 'GET', rawHeaders: [], sourceIp: '192.0.2.1', secure: true };
    const match = { route: { routeKey: 'GET /1/messages.json', functionArn: '' }, parameters: {} };
    const event = createEvent(incoming, match, API, 'fuzz', Date.now());
    const { payload } = await peal().cloud.functionNamed('Sync').invoke(event);
    const { messages } = JSON.parse((payload as { body: string }).body);
    newest = messages.at(-1)?.id ?? newest;
    return messages;
  }

  /** Write units that the function has used. */
  function written(): number {
    const [, counts] =
      Object.entries(peal().cloud.meter.read()).find(([name]) => name.includes('Send')) ?? [];
    return counts?.['dynamodb.wru'] ?? 0;
  }

  /** What holds for every request: an answer of Pushover's form, and nothing is written unless it is 200. */
  async function assertSound(ask: () => Promise<Answer>): Promise<Answer> {
    const [before, lines] = [written(), peal().lines.length];

    const { status, body } = await ask();

    assert.match(String(body.request), /^[0-9a-f-]{36}$/);
    const errors = peal()
      .lines.slice(lines)
      .filter(({ level }) => level === 'error');
    assert.deepEqual(errors, []);
    if (status === 200) {
      accepted += 1;
      assert.equal(body.status, 1);
      assert.equal('errors' in body, false);
      return { status, body };
    }
    assert.ok(status === 400 || status === 413, String(status));
    assert.equal(body.status, 0);
    assert.ok(Array.isArray(body.errors) && body.errors.length > 0);
    assert.ok(body.errors.every((sentence) => typeof sentence === 'string' && sentence !== ''));
    assert.equal(written(), before);
    return { status, body };
  }

  function assertAnswered({ status, body }: Answer, expected: Expected): void {
    if (expected.status === 200) {
      assert.equal(status, 200, JSON.stringify(body));
      return;
    }
    const { errors: _, status: __, request: ___, ...faults } = body;
    // A parameter of one of these names cannot be told from the answer's own.
    const own = ['errors', 'status', 'request'];
    assert.deepEqual(
      [status, Object.keys(faults).sort()],
      [400, expected.faults.filter((name) => !own.includes(name)).sort()],
    );
  }

  function assertStored(stored: Record<string, unknown>, expected: Expected): void {
    if (expected.status !== 200) return;
    assert.equal(stored.message, expected.text);
    assert.partialDeepStrictEqual(stored, expected.fields);
  }

  /**
   * Sends requests, and checks the answers and that just those that were accepted have arrived, in their order. Does so
   * with the seed, and says how to repeat it.
   *
   * @param modelOf what the answer must be, where that is known
   */
  async function check<T>(
    t: TestContext,
    runs: number,
    requests: fc.Arbitrary<T>,
    ask: (one: T) => Promise<Answer>,
    modelOf?: (one: T) => Expected,
  ): Promise<void> {
    t.diagnostic(`FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS}: ${runs} cases`);
    accepted = 0;
    // Passes over what a property that failed has left.
    await arrived();
    const batches = fc.array(requests, { minLength: BATCH, maxLength: BATCH });
    const property = fc.asyncProperty(batches, async (batch) => {
      const taken: T[] = [];
      for (const [n, one] of batch.entries()) {
        await about(n, async () => {
          const answer = await assertSound(() => ask(one));
          if (modelOf) assertAnswered(answer, modelOf(one));
          if (answer.status === 200) taken.push(one);
        });
      }
      const stored = taken.length > 0 ? await arrived() : [];
      assert.equal(stored.length, taken.length);
      for (const [n, one] of taken.entries())
        await about(batch.indexOf(one), () => modelOf && assertStored(stored[n]!, modelOf(one)));
    });
    await fc.assert(property, { seed: SEED, numRuns: Math.ceil(runs / BATCH), endOnFailure: true });
    t.diagnostic(`${accepted} were accepted`);
  }

  /** Says of which request of a batch a failure is. */
  async function about(n: number, work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw new Error(`request ${n + 1} of the batch: ${(cause as Error).message}`, { cause });
    }
  }

  const model = (given: GivenRequest) => expectedOf(given, token, user);

  test('that is well-formed is answered as the table of parameters says', async (t) => {
    await check(t, RUNS / 5, givenRequests(token, user), (given) => invoke(encode(given)), model);
    assert.ok(accepted > RUNS / 30, `only ${accepted} were accepted`);
  });

  test('that is damaged is refused or accepted, never half', async (t) => {
    await check(t, RUNS / 4, damagedRequests(token, user), invoke);
    assert.ok(accepted > RUNS / 100, `only ${accepted} were accepted`);
  });

  test('that is noise is refused', async (t) => {
    // Costs a fifth of a request that is accepted.
    await check(t, RUNS / 2, noise(token, user), invoke);
  });

  test('over a socket, whole or in chunks, is answered the same', async (t) => {
    // API Gateway takes no longer heads; what it says to them is in bad-wire.test.ts.
    const short = givenRequests(token, user).filter((given) => encode(given).target.length < 8000);
    const requests = fc.tuple(short, fc.boolean());
    const ask = ([given, chunked]: [GivenRequest, boolean]) => post(encode(given), chunked);
    await check(t, RUNS / 25, requests, ask, ([given]) => model(given));
  });
});
