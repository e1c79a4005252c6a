import type { Device } from '../accounts/devices.ts';
import type { CarrierName } from '../carriers/carrier.ts';
import type { StoredMessage } from '../mailbox/item.ts';
import type { Queue } from '../storage/queue.ts';
import { settleAll } from '../storage/settle.ts';
import { type Address, carriersOf, type DispatchRecord, RECORD_DEVICES } from './record.ts';

/** The carriers' queues. */
export type CarrierQueues = Record<CarrierName, Queue>;

/**
 * Queues the dispatch of stored copies: a record a carrier, or several where a record would name too many devices.
 *
 * @param devices by id, of every copy
 * @param acceptedAt Unix milliseconds
 * @throws Error if any record could not be queued; others may have been
 */
export async function queueDispatch(
  queues: CarrierQueues,
  stored: StoredMessage[],
  devices: ReadonlyMap<string, Device>,
  acceptedAt: number,
): Promise<void> {
  const wanted = stored.flatMap((copy) =>
    carriersOf(devices.get(copy.device)!).map((carrier) => ({ carrier, copy })),
  );
  await settleAll(
    [...Map.groupBy(wanted, ({ carrier }) => carrier)].map(([carrier, routed]) => {
      const { umid, expiresAt, priority } = routed[0]!.copy;
      const addresses = routed.map(({ copy: { user, device, id } }): Address => [user, device, id]);
      const common = { v: 1 as const, umid, acceptedAt, expiresAt, priority, attempt: 0 };
      return queues[carrier].send(chunks(addresses).map((to): DispatchRecord => ({ ...common, to })));
    }),
  );
}

function chunks(addresses: Address[]): Address[][] {
  const count = Math.ceil(addresses.length / RECORD_DEVICES);
  return Array.from({ length: count }, (_, n) =>
    addresses.slice(n * RECORD_DEVICES, (n + 1) * RECORD_DEVICES),
  );
}
