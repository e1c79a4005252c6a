/** What a carrier says of credentials, asked without sending anything to anybody. */
export type Checked =
  /** The carrier takes them. */
  | { kind: 'good'; said: string }
  /** The carrier does not take them, or they are no credentials at all. */
  | { kind: 'wrong'; said: string }
  /** The carrier could not be asked: nothing is known about them. */
  | { kind: 'unknown'; said: string };
