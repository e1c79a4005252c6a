/** Opening one session. */

import { type Connect, connectTls, type Resumption } from './connect.ts';
import { TimeLimitError } from './errors.ts';
import { Session } from './session.ts';

export interface OpeningEvents {
  /** Before anything else, with a function that gives the attempt up. */
  begun(cancel: (error: Error) => void): void;
  opened(session: Session): void;
  failed(error: Error): void;
  room(session: Session): void;
  goaway(session: Session): void;
  closed(session: Session): void;
}

/** An attempt to open a session: exactly one of `opened` and `failed` is called, the others only after `opened`. */
export class Opening {
  readonly #events: OpeningEvents;
  readonly #origin: string;
  readonly #resumption: Resumption;
  #state: 'opening' | 'open' | 'over' = 'opening';
  #session: Session | undefined;

  constructor(
    url: URL,
    limits: { connectLimit: number; connect?: Connect },
    resumption: Resumption,
    events: OpeningEvents,
  ) {
    this.#events = events;
    this.#origin = url.origin;
    this.#resumption = resumption;
    events.begun((error) => this.#fail(error));
    const deadline = performance.now() + limits.connectLimit;
    const options = resumption.options(url.origin);
    const { connect, connectLimit } = limits;
    const connecting = connect ? Promise.try(connect, url, options) : connectTls(url, options, connectLimit);
    connecting.then(
      (socket) => {
        if (this.#state !== 'opening') {
          socket.destroy();
          return;
        }
        // A `connect` of somebody else limits its own time; the SETTINGS are ours to wait for.
        const left = limits.connect ? limits.connectLimit : Math.max(1, deadline - performance.now());
        const timer = setTimeout(() => this.#fail(new TimeLimitError('no SETTINGS in time')), left);
        timer.unref();
        resumption.keep(url.origin, socket);
        const session: Session = new Session(url, socket, {
          ready: () => {
            clearTimeout(timer);
            this.#state = 'open';
            events.opened(session);
          },
          room: () => this.#state === 'open' && events.room(session),
          goaway: () => (this.#state === 'open' ? events.goaway(session) : this.#fail(new Error('GOAWAY'))),
          closed: (error) => {
            clearTimeout(timer);
            if (this.#state === 'open') {
              this.#state = 'over';
              events.closed(session);
            } else this.#fail(error ?? new Error('the connection was closed before SETTINGS'));
          },
        });
        this.#session = session;
      },
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #fail(error: Error): void {
    if (this.#state !== 'opening') return;
    this.#state = 'over';
    this.#resumption.forget(this.#origin);
    this.#session?.end();
    this.#events.failed(error);
  }
}
