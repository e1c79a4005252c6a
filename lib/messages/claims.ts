import { createHash, createHmac, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { App } from '../accounts/apps.ts';
import type { Params } from '../http/params.ts';
import { Refusal } from '../refusal.ts';
import { LeftBehind } from '../storage/left-behind.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import { type Clock, isConditionFailure, seconds, type Table } from '../storage/table.ts';
import type { Allowance } from './limits.ts';

/** What tells one message from every other, fixed before anything of it is stored. */
export interface Identity {
  /** Random id of the request; copies are stored under it. */
  request: string;
  /** Id of the message across all its recipients. */
  umid: number;
  /** Unix milliseconds. */
  receivedAt: number;
}

/** A request that is to be done once. */
export interface Once {
  app: App;
  /** The sender's `idempotency_key`. */
  key: string;
  /** What `contentOf` says of the request. */
  content: string;
  /** How long its message lives, seconds. */
  lifetime: number;
}

/** What of a result the note that the work is done keeps, so that a repeat's answer says it again. */
export interface Remembered {
  /** What was left of the quota. */
  allowance?: Allowance;
}

/** What came of it. */
export interface Outcome<T> {
  identity: Identity;
  /** What the work gave; absent for a repeat, for which none was done. */
  result?: T;
  /** What is remembered of it; only for a repeat. */
  remembered?: Remembered;
  /** Whether the note that it is done could not be written: a repeat will do it again, under the same identity. */
  unsettled?: boolean;
}

/** How long the answer to a request is remembered. Seconds. */
export const MEMORY_SECONDS = 24 * 3600;

/**
 * For how long a claim keeps others off. More than the send function's own limit of 29 s, after which whoever made it
 * is dead, by more than clocks differ. Milliseconds.
 */
const LEASE_MS = 40_000;

/** Pauses of a repeat that finds the first request still under way. Milliseconds; three seconds in all. */
const PAUSES = [100, 200, 400, 800, 1500];

const CLAIM = kind('claim', unchanged);

/** What is stored of a claim. */
interface Claim extends Identity, Remembered {
  pk: string;
  sk: number;
  content: string;
  /** Random id of the attempt that holds it. */
  attempt: string;
  /** Unix milliseconds. */
  leaseUntil: number;
  done?: true;
  /** An earlier attempt under this identity may have stored something. */
  takenOver?: true;
  /** Unix seconds. */
  ttl: number;
}

/**
 * Requests with an idempotency key: each is done once, however often it is repeated and however many repeats come at
 * once. A claim in the Mailbox table, by app and hash of the key, says whose turn it is.
 *
 * What makes each step safe:
 *
 * - **Claiming** is one conditional put, so of any number at once one has it. It fixes the message's identity before
 *   anything of the message is stored.
 * - **The work** stores and queues under that identity, so doing it again finds what is there: a copy is put under its
 *   request's id, a device knows a message by its id, and its carrier's mark is by that id.
 * - **Dying** at any point leaves a claim whose lease runs out. Who comes next takes it over, by a put under the
 *   condition that it is still that attempt's, and does the work again under the same identity: not a second message.
 * - **Failing** ends the lease at once, but only when all that was stored is withdrawn and nothing is under way that
 *   might withdraw what the next attempt stores. Where withdrawing failed, the lease has to run out.
 *   An attempt that took over withdraws nothing: what it finds may be of one that was answered.
 * - **Being refused** takes the claim away, so that the sender may correct the request; unless an earlier attempt may
 *   have stored something.
 * - **Done** is a put under the condition that the claim is still this attempt's. When it fails, the message is sent
 *   all the same and answered so; a repeat then takes over after the lease, with the same identity and answer.
 *
 * Content is compared by HMAC under the app's token, which is itself stored as a hash only: a hash of the plain text
 * would let a reader of the table guess at messages. A new token therefore makes a repeat look different: refused, not
 * sent twice.
 */
export class Claims {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Does the work, unless it has been done.
   *
   * @param fresh makes the identity of a new message
   * @param work is told whether an earlier attempt may have stored something, and been answered
   * @throws Refusal naming `idempotency_key` if the content is another, or (503) if the first is still under way
   * @throws whatever the work throws
   */
  async once<T extends Remembered>(
    once: Once,
    fresh: () => Identity,
    work: (identity: Identity, takenOver: boolean) => Promise<T>,
  ): Promise<Outcome<T>> {
    const attempt = randomUUID();
    for (const wait of [0, ...PAUSES]) {
      if (wait > 0) await pause(wait);
      const { claim, turn } = await this.#turn(once, attempt, fresh);
      if (turn === 'done') return { identity: identityOf(claim), remembered: rememberedOf(claim) };
      if (turn === 'mine') return this.#work(claim, work);
    }
    const reason = 'is of a request that is still under way, try again';
    throw new Refusal({ field: 'idempotency_key', reason }, 503);
  }

  /** Makes, takes over or looks at the claim. */
  async #turn(
    once: Once,
    attempt: string,
    fresh: () => Identity,
  ): Promise<{ claim: Claim; turn: 'done' | 'mine' | 'theirs' }> {
    const now = this.#clock();
    const made = { ...this.#blank(once, attempt), ...fresh() };
    const free = 'attribute_not_exists(pk) OR #ttl <= :now';
    if (await this.#put(made, free, { '#ttl': 'ttl' }, { ':now': seconds(this.#clock) })) {
      return { claim: made, turn: 'mine' };
    }
    const claim = await this.#get(made);
    // Taken away in between: the next round makes a new one.
    if (!claim) return { claim: made, turn: 'theirs' };
    if (claim.content !== once.content) {
      const reason = 'was used for another message within 24 hours';
      throw new Refusal({ field: 'idempotency_key', reason });
    }
    if (claim.done) return { claim, turn: 'done' };
    // The put's answer was lost, and the SDK's repeat found our own claim.
    if (claim.attempt === attempt) return { claim, turn: 'mine' };
    if (claim.leaseUntil > now) return { claim, turn: 'theirs' };
    // Of a message that has expired meanwhile nothing is left, and nothing would be shown: it begins anew.
    const expired = claim.receivedAt + once.lifetime * 1000 <= now;
    const taken = expired ? made : { ...made, ...identityOf(claim), takenOver: true as const };
    const unchanged = 'attempt = :seen AND leaseUntil = :lease AND attribute_not_exists(done)';
    const values = { ':seen': claim.attempt, ':lease': claim.leaseUntil };
    const won = await this.#put(taken, unchanged, undefined, values);
    return { claim: taken, turn: won ? 'mine' : 'theirs' };
  }

  async #work<T extends Remembered>(
    claim: Claim,
    work: (identity: Identity, takenOver: boolean) => Promise<T>,
  ): Promise<Outcome<T>> {
    const identity = identityOf(claim);
    const mine = { ':mine': claim.attempt };
    let result: T;
    try {
      result = await work(identity, claim.takenOver === true);
    } catch (error) {
      // Whether this works or not, the fault itself is what the sender must hear of; a lease ends by itself.
      await Promise.allSettled([this.#giveUp(claim, error)]);
      throw error;
    }
    try {
      const done = { ...claim, done: true as const, ...rememberedOf(result) };
      await this.#put(done, 'attempt = :mine', undefined, mine);
    } catch {
      return { identity, result, unsettled: true };
    }
    return { identity, result };
  }

  async #giveUp(claim: Claim, error: unknown): Promise<void> {
    const mine = { ':mine': claim.attempt };
    if (error instanceof LeftBehind) return;
    if (!(error instanceof Refusal) || claim.takenOver) {
      await this.#put({ ...claim, leaseUntil: 0 }, 'attempt = :mine', undefined, mine);
      return;
    }
    await this.#table.client.send(
      new DeleteCommand({
        TableName: this.#table.name,
        Key: { pk: claim.pk, sk: claim.sk },
        ConditionExpression: 'attempt = :mine',
        ExpressionAttributeValues: mine,
      }),
    );
  }

  #blank({ app, key, content }: Once, attempt: string): Omit<Claim, keyof Identity> {
    const hash = createHash('sha256').update(key).digest('base64url');
    return {
      // An app's number is its own only within its account.
      pk: `once#${app.owner}#${app.id}#${hash}`,
      sk: 0,
      content,
      attempt,
      leaseUntil: this.#clock() + LEASE_MS,
      ttl: seconds(this.#clock) + MEMORY_SECONDS,
    };
  }

  /** Writes under a condition. @returns whether it held */
  async #put(
    claim: Claim,
    ConditionExpression: string,
    names: Record<string, string> | undefined,
    values: Record<string, unknown>,
  ): Promise<boolean> {
    try {
      await this.#table.client.send(
        new PutCommand({
          TableName: this.#table.name,
          Item: versioned(CLAIM, { ...claim }),
          ConditionExpression,
          ...(names && { ExpressionAttributeNames: names }),
          ExpressionAttributeValues: values,
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  async #get({ pk, sk }: Pick<Claim, 'pk' | 'sk'>): Promise<Claim | undefined> {
    const Key = { pk, sk };
    const found = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key, ConsistentRead: true }),
    );
    return found.Item && (newest(CLAIM, found.Item) as unknown as Claim);
  }
}

/**
 * What a request says, as a text that gives nothing of it away: HMAC-SHA256 under the app's token, over all parameters
 * but the token and the key, in the order of their names.
 */
export function contentOf(params: Params, token: string): string {
  const texts = params.texts();
  const hmac = createHmac('sha256', token);
  for (const name of params.names().sort()) {
    if (name === 'token' || name === 'idempotency_key') continue;
    const value = texts[name] ?? params.file(name)?.bytes ?? JSON.stringify(params.getJson(name));
    // Lengths first, so that no two lists of parameters are the same bytes.
    hmac.update(`${Buffer.byteLength(name)} ${Buffer.byteLength(value)} ${name}`).update(value);
  }
  return hmac.digest('base64url');
}

function rememberedOf({ allowance }: Remembered): Remembered {
  return allowance ? { allowance } : {};
}

function identityOf({ request, umid, receivedAt }: Claim): Identity {
  return { request, umid, receivedAt };
}
