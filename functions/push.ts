import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { DeviceRegistry } from '../lib/accounts/device-registry.ts';
import type { Carrier, CarrierName } from '../lib/carriers/carrier.ts';
import { dispatchBatch } from '../lib/dispatch/dispatch.ts';
import { Mailbox } from '../lib/mailbox/mailbox.ts';
import { awsClient } from '../lib/net/aws-client.ts';
import { LANES, type LaneLimits } from '../lib/net/lanes.ts';
import { Receipts } from '../lib/receipts/receipts.ts';
import { Queue } from '../lib/storage/queue.ts';
import { table, variable } from './environment.ts';
import { createJournal } from './journal.ts';
import { laneOf } from './lane.ts';
import { carrierSecret } from './secret.ts';

/** Makes the carrier for a lane. */
export type CarrierIn = (lane: LaneLimits) => () => Promise<Carrier>;

/** The handler of a push Lambda: they differ only in the carrier that they bind, once for each lane. */
export function pushHandler(name: CarrierName, carrierIn: CarrierIn) {
  const sqs = awsClient('sqs', SQSClient);
  const { log, count, wrap } = createJournal(name);
  const context = {
    name,
    mailbox: new Mailbox(table('MAILBOX_TABLE'), Date.now),
    devices: new DeviceRegistry(table('DIRECTORY_TABLE'), Date.now),
    receipts: new Receipts(table('DIRECTORY_TABLE'), Date.now),
    deadLetters: new Queue(sqs, variable('DEAD_LETTER_QUEUE_URL')),
    clock: Date.now,
    log,
    count,
  };
  const slow = new Queue(sqs, variable('SLOW_QUEUE_URL'));
  const lanes = {
    fast: { carrier: carrierIn(LANES.fast), queue: new Queue(sqs, variable('QUEUE_URL')), slow },
    slow: { carrier: carrierIn(LANES.slow), queue: slow },
  };
  /** The carrier, or while its credentials cannot be read one that fails for now: records go by their budget then. */
  const current = async (carrier: () => Promise<Carrier>): Promise<Carrier> => {
    try {
      return await carrier();
    } catch (error) {
      log('error', 'the credentials of the carrier cannot be read', { error: String(error) });
      count('ConfigurationFault', 1);
      return UNREADY;
    }
  };
  return wrap(async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const deliveries = event.Records.map(({ messageId, body, attributes }) => ({
      id: messageId,
      body,
      receives: Number(attributes.ApproximateReceiveCount),
    }));
    const { carrier, ...queues } = lanes[laneOf(event)];
    const failed = await dispatchBatch(deliveries, {
      ...context,
      ...queues,
      carrier: await current(carrier),
    });
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  });
}

/**
 * A carrier whose credentials are in Secrets Manager.
 *
 * @param create makes the carrier of the secret's text; undefined if the operator has not put credentials into it
 */
export function fromSecret(create: (secret: string) => Carrier | undefined): () => Promise<Carrier> {
  const read = carrierSecret();
  let current: { secret: string; carrier: Carrier } | undefined;
  return async () => {
    const secret = await read();
    if (current?.secret === secret) return current.carrier;
    await current?.carrier.close();
    current = { secret, carrier: create(secret) ?? OFF };
    return current.carrier;
  };
}

/** A carrier whose credentials cannot be read. */
const UNREADY: Carrier = {
  send: async () => ({ kind: 'failed', reason: 'the credentials cannot be read' }),
  close: async () => undefined,
};

/** A carrier without credentials is off: its devices still sync. */
const OFF: Carrier = {
  send: async () => ({
    kind: 'refused',
    reason: 'the carrier has no credentials',
    retire: false,
    expected: true,
  }),
  close: async () => undefined,
};
