/** What a function and its execution environment (a child process) say to each other. */

/** Structured log line, as Lambda's JSON log format has it. Lines that a function writes itself keep their own fields. */
export interface LogLine {
  timestamp: string;
  level: string;
  requestId?: string;
  message: unknown;
  /** Of a line that the function wrote as JSON: its size. Lambda keeps such a line as it is. */
  bytes?: number;
  [field: string]: unknown;
}

/** An error as Lambda's runtime reports it. */
export interface RuntimeFault {
  errorType: string;
  errorMessage: string;
  stackTrace: string[];
}

/** Loads the bundle. The process started without knowing which function it will be. */
export interface InitMessage {
  kind: 'init';
  environment: Record<string, string>;
  codeDir: string;
  handler: string;
}

/** Runs the handler once. */
export interface InvokeMessage {
  kind: 'invoke';
  requestId: string;
  /** The event as JSON text. */
  event: string;
  /** Epoch milliseconds when the function's time is up. */
  deadline: number;
  functionArn: string;
  /** Largest answer in bytes. */
  limit: number;
}

export type ToEnvironment = InitMessage | InvokeMessage;

export type FromEnvironment =
  | { kind: 'booted' }
  | { kind: 'ready' }
  /** `fatal` says that the process exits after this message. */
  | { kind: 'fault'; fault: RuntimeFault; fatal: boolean }
  /** `payload` is JSON text; absent when the handler returned nothing. */
  | { kind: 'done'; requestId: string; payload?: string }
  | { kind: 'log'; line: LogLine };
