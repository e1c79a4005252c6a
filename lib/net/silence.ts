/**
 * Who has not answered in time lately, so that nobody waits for the same silence again and again. One environment's own
 * memory: it is right without the others', only sooner with them.
 */

import type { Clock } from '../storage/table.ts';

/** What silence leads to. Milliseconds. */
export interface SilenceLimits {
  /** For how long a host is left alone after a silence; twice as long after each further one without an answer between. */
  first: number;
  /** The longest of these times. */
  longest: number;
  /** For how long all hosts that an account has named are left alone after one of them was silent. */
  account: number;
  /** When so many accounts are left alone at a time, all hosts that accounts have named are. */
  accounts: number;
  /**
   * Most hosts of one account that are tried at a time. Each costs a handshake: a hundred of them would take so much of an
   * environment's CPU that others beside them seemed to be silent.
   */
  untried: number;
}

/** Somebody who is to be asked. */
export interface Party {
  host: string;
  /** The account that has named this host. Absent where nobody did: no account can make such a host silent. */
  account?: string;
}

/** For how long an untried host is left alone while others of its account are being tried. Milliseconds. */
const BUSY = 1_000;

/** Hosts that are remembered; anybody can name new ones. */
const MAX_HOSTS = 10_000;

interface HostState {
  /** Silences in a row. */
  silences: number;
  /** Until when it is left alone. Unix milliseconds. */
  until: number;
  /** When it last answered. Unix milliseconds. */
  answeredAt: number;
}

/**
 * Silences by host, and by account: one account can name any number of hosts, all of which lead to one server (a wildcard
 * in the DNS), so a memory of hosts alone would wait for each of them.
 *
 * What follows for an environment that works on one batch after the other: each batch which waits for a silent host that
 * an account has named adds an account to those that are left alone for {@link SilenceLimits.account}, and at
 * {@link SilenceLimits.accounts} of them none is waited for. So however many accounts and hosts there are, no more than
 * `accounts` batches wait in any such time.
 */
export class Silences {
  readonly #limits: SilenceLimits;
  readonly #clock: Clock;
  /** Oldest change first. */
  readonly #hosts = new Map<string, HostState>();
  /** Until when each is left alone, Unix milliseconds; the first to end first, since all last equally long. */
  readonly #accounts = new Map<string, number>();
  /** How many hosts that each account has named are being asked. */
  readonly #asking = new Map<string, number>();

  constructor(limits: SilenceLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** For how long a party is to be left alone from now. Milliseconds, 0 if it may be asked. */
  wait({ host, account }: Party): number {
    const now = this.#clock();
    const state = this.#hosts.get(host);
    let until = state?.until ?? 0;
    if (account !== undefined) {
      for (const [oldest, end] of this.#accounts) {
        if (end > now) break;
        this.#accounts.delete(oldest);
      }
      until = Math.max(until, this.#accounts.get(account) ?? 0);
      if (this.#accounts.size >= this.#limits.accounts) {
        const [soonest = 0] = this.#accounts.values();
        until = Math.max(until, soonest);
      }
      const isTried = state !== undefined && state.silences === 0;
      if (!isTried && (this.#asking.get(account) ?? 0) >= this.#limits.untried)
        until = Math.max(until, now + BUSY);
    }
    return Math.max(0, until - now);
  }

  /** Asks a party that need not be left alone. */
  async ask<Answer>({ account }: Party, call: () => Promise<Answer>): Promise<Answer> {
    if (account === undefined) return call();
    this.#asking.set(account, (this.#asking.get(account) ?? 0) + 1);
    try {
      return await call();
    } finally {
      const left = this.#asking.get(account)! - 1;
      if (left > 0) this.#asking.set(account, left);
      else this.#asking.delete(account);
    }
  }

  /** It has answered, whatever it said. */
  answered(host: string): void {
    this.#note(host, { silences: 0, until: 0, answeredAt: this.#clock() });
  }

  /**
   * It has not answered in time. A host that has answered others meanwhile is not at fault: of many who share it, one
   * must not be able to have it left alone.
   *
   * @param since when it was asked, Unix milliseconds
   */
  silent({ host, account }: Party, since: number): void {
    const now = this.#clock();
    const { first, longest, account: accountTime } = this.#limits;
    const { silences = 0, answeredAt = 0, until = 0 } = this.#hosts.get(host) ?? {};
    // Of those that were asked side by side, the first to give up counts for all.
    if (answeredAt < since && until <= now) {
      const time = Math.min(longest, first * 2 ** silences);
      this.#note(host, { silences: silences + 1, until: now + time, answeredAt });
    }
    if (account !== undefined) {
      this.#accounts.delete(account);
      this.#accounts.set(account, now + accountTime);
    }
  }

  #note(host: string, state: HostState): void {
    this.#hosts.delete(host);
    this.#hosts.set(host, state);
    for (const [oldest] of this.#hosts) {
      if (this.#hosts.size <= MAX_HOSTS) break;
      this.#hosts.delete(oldest);
    }
  }
}
