/**
 * Lets one caller a key through at a time, until the key is known to be good; then everybody.
 *
 * APNs wants a single stream on a new connection until it has answered an authenticated request (Apple, "Sending
 * notification requests to APNs"); a burst that does not wait would open a connection a message instead.
 */
export class Gate {
  /** Whether everybody may pass for this key now. */
  readonly isOpen: (key: string) => boolean;
  readonly #waiting = new Map<string, (() => void)[]>();

  /** @param isOpen whether everybody may pass for this key now */
  constructor(isOpen: (key: string) => boolean) {
    this.isOpen = isOpen;
  }

  /**
   * Calls `pass` now or later. Whoever passes must call the function that `pass` is given exactly when it knows how
   * its try ended (more calls do nothing): the gate then opens, or lets the next one through.
   */
  enter(key: string, pass: (leave: () => void) => void): void {
    if (this.isOpen(key)) {
      pass(() => {});
      return;
    }

    const waiting = this.#waiting.get(key);
    if (waiting) {
      waiting.push(() => this.#admit(key, pass));
      return;
    }
    this.#waiting.set(key, []);
    this.#admit(key, pass);
  }

  #admit(key: string, pass: (leave: () => void) => void): void {
    let left = false;
    pass(() => {
      if (left) return;
      left = true;
      this.#leave(key);
    });
  }

  #leave(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;

    if (this.isOpen(key)) {
      this.#waiting.delete(key);
      for (const next of waiting) next();
      return;
    }
    const next = waiting.shift();
    if (next) next();
    else this.#waiting.delete(key);
  }
}
