/** AWS clients that can only look: each call has an end, and none of them can change anything. */
import { awsClient } from '../../../lib/net/aws-client.ts';
import { AwsError } from './aws-error.ts';

/** How long a call may take with its second try and finding credentials, milliseconds. */
const LIMIT = 15_000;

/** What a client is made with. */
interface ClientConfig {
  region: string;
}

/** What stands around every call of a client, and knows what is called. */
type Middleware = <Args, Output>(
  next: (args: Args) => Promise<Output>,
  context: { commandName?: string },
) => (args: Args) => Promise<Output>;

/** What all of the SDK's clients have in common, as far as it is needed here. */
interface SdkClient {
  middlewareStack: {
    add(middleware: Middleware, options: { step: 'initialize'; name: string; priority: 'high' }): void;
  };
  destroy(): void;
}

/** A class of the SDK, such as `CloudFormationClient`. */
type ClientClass<Client> = new (config: ClientConfig) => Client;

/** What AWS calls its commands that read. */
const READS = /^(?:Describe|Get|Head|List)[A-Z]/;

/** Clients, one for each service and region, until they are closed. */
export class Aws {
  readonly #limit: number;
  readonly #clients = new Map<string, SdkClient>();

  /** @param limit of a call, milliseconds */
  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  /**
   * A client of a service in a region. Credentials come from where every AWS tool takes them; AWS_ENDPOINT_URL names
   * another address.
   */
  client<Client extends SdkClient>(Kind: ClientClass<Client>, region: string): Client {
    const key = `${Kind.name} ${region}`;
    const known = this.#clients.get(key);
    if (known instanceof Kind) return known;
    const client: Client = awsClient('preflight', Kind, { region });
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          if (!READS.test(commandName)) throw new Error(`${commandName} is not sent: preflight only reads`);
          return this.#inTime(next(args));
        },
      { step: 'initialize', name: 'readOnlyInTime', priority: 'high' },
    );
    this.#clients.set(key, client);
    return client;
  }

  /** Ends all connections, those too on which an answer is still awaited. */
  close(): void {
    for (const client of this.#clients.values()) client.destroy();
  }

  /** The limits of a try do not cover where credentials come from. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new AwsError('trouble', `no answer within ${this.#limit / 1000} s`)),
      this.#limit,
    );
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
