/** Shapes that the parts of the local cloud share. */

/** One AWS IAM statement of a role, with every intrinsic resolved. */
export interface Statement {
  Effect: 'Allow' | 'Deny';
  Action: string[];
  Resource: string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** A Lambda function as the template describes it, every intrinsic resolved. */
export interface FunctionSpec {
  /** Logical id in its template, for messages that name what is missing. */
  logicalId: string;
  stack: string;
  name: string;
  arn: string;
  /** Absolute folder of the bundle (the CDK asset). */
  codeDir: string;
  /** For example `index.handler`. */
  handler: string;
  /** `Environment.Variables` of the template. */
  environment: Record<string, string>;
  /** Seconds. */
  timeout: number;
  /** MiB. */
  memory: number;
  /** `ReservedConcurrentExecutions`, if set. */
  reservedConcurrency?: number;
  /** Access key id under which this function's AWS calls arrive at the local AWS front; it names the role. */
  accessKeyId: string;
  roleArn: string;
}

/** What an invocation gave. `error` is set as Lambda sets `FunctionError`. */
export interface InvokeResult {
  /** The handler's answer; undefined for none or when it failed. */
  payload?: unknown;
  error?: { type: string; message: string };
  /** Milliseconds, as billed. */
  duration: number;
  requestId: string;
}

/** A function that can be invoked: by the HTTP API, the WebSocket API, an event source mapping or a test. */
export interface LocalFunction {
  readonly spec: FunctionSpec;
  /**
   * Invokes synchronously. Never rejects: what goes wrong is in `error`. Enforces Lambda's 6 MiB payload both ways
   * (`RequestEntityTooLarge`, `Function.ResponseSizeTooLarge`), the timeout (`Sandbox.Timedout`) and the concurrency
   * (`TooManyRequestsException`).
   */
  invoke(event: unknown): Promise<InvokeResult>;
  /** Test hook: kills every running environment of this function at once, as a crash would (`Runtime.ExitError`). */
  kill(): void;
  close(): Promise<void>;
}

/** A line for the operator's eyes: what the local cloud did, refused or noticed. */
export type CloudLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** Counters by function and item; `bench/` prices a message from them. */
export interface Meter {
  /** Adds `amount` of `item` (for example `lambda.gbms`, `dynamodb.wru`, `http.requests`) for `who` (function name or `edge`). */
  count(who: string, item: string, amount: number): void;
  /** All counters so far: who → item → amount. */
  read(): Record<string, Record<string, number>>;
  reset(): void;
}
