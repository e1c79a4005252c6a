/**
 * An HTTP request and its answer, as plain objects. Node's own `Request`, `Response` and `Headers` would do, but a process
 * takes some 50 ms to load them when it first touches one: at every cold start, before the first message is accepted.
 */

/** A request that came in. */
export interface HttpRequest {
  method: string;
  /** Without the query. */
  path: string;
  /** What follows the question mark, as it was sent. */
  query: string;
  /** By their names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Empty if there is none. Requests of any method may have one: some clients of Pushover send it on GET. */
  body: Uint8Array;
  /** The address of who asks. Never a client's own word for it, which anybody can write. */
  address: string;
}

/** The answer to a request. */
export interface HttpAnswer {
  status: number;
  /** Their names are sent in this case, which some clients match letter by letter over HTTP/1.1. */
  headers: Record<string, string>;
  /** Text, or bytes. */
  body: string | Uint8Array;
}
