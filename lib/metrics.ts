/** What Peal measures of itself, and in what: the names under which CloudWatch has them. */
export const METRICS = {
  /** Messages that were accepted, whatever the number of their devices. */
  Accepted: 'Count',
  /** Sends that were answered 429: over the quota, or too fast. */
  Throttled: 'Count',
  /** Copies that the fan-out of large messages stored. */
  FanOutCopies: 'Count',
  /** Devices whose message a carrier took. */
  Delivered: 'Count',
  /** From the acceptance of a message to its first acceptance by a carrier, once for each record of its dispatch. */
  Latency: 'Milliseconds',
  /** Devices whose share failed for now and waits for another try. */
  Retries: 'Count',
  /** Devices whose share was left to the slow lane, since who is asked for them was silent. */
  Slowed: 'Count',
  /** Devices that were given up into the dead letters. */
  GivenUp: 'Count',
  /** Devices that a carrier refused for good. */
  Refused: 'Count',
  /**
   * Devices that were not reached since the carrier refuses our credentials or our configuration; batches without
   * credentials, and records that fail for the fifth time or more, without being tried.
   */
  ConfigurationFault: 'Count',
  /** Records of the fan-out, of repetitions and of callbacks that fail for the fifth time or more, without being tried. */
  Stuck: 'Count',
  /** Devices that logged in on the socket. */
  SocketLogins: 'Count',
  /** Whether a run of the canary failed, 1 or 0: so that one that does not run at all is missed. */
  CanaryFailed: 'Count',
  /** From the canary's request to its answer. */
  CanaryAccept: 'Milliseconds',
  /** From the canary's request to its message on its device, opened. */
  CanaryArrival: 'Milliseconds',
} as const;

export type MetricName = keyof typeof METRICS;

/** Notes a measurement: counts are added up over an invocation, times are kept one by one. */
export type Count = (name: MetricName, value: number) => void;
