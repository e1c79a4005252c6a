import type { Device } from '../accounts/devices.ts';
import type { CarrierName } from '../carriers/carrier.ts';
import type { StoredMessage } from '../mailbox/item.ts';
import type { Queue } from '../storage/queue.ts';
import { settleAll } from '../storage/settle.ts';
import { newCopy } from '../storage/succession.ts';
import { type Address, carriersOf, type DispatchRecord, RECORD_DEVICES } from './record.ts';

/** The carriers' queues. */
export type CarrierQueues = Record<CarrierName, Queue>;

/**
 * Queues the dispatch of stored copies: a record a carrier, or several where a record would name too many devices.
 *
 * @param devices by id, of every copy
 * @param acceptedAt Unix milliseconds
 * @param receipt of an emergency message
 * @throws Error if any record could not be queued; others may have been
 */
export async function queueDispatch(
  queues: CarrierQueues,
  stored: StoredMessage[],
  devices: ReadonlyMap<string, Device>,
  acceptedAt: number,
  receipt?: string,
): Promise<void> {
  const [first] = stored;
  if (!first) return;
  const { umid, request, expiresAt, priority } = first;
  const wanted = stored.map(({ user, device, id }) => ({
    device: devices.get(device)!,
    address: [user, device, id] as Address,
  }));
  await queueAddresses(queues, wanted, {
    umid,
    request,
    acceptedAt,
    expiresAt,
    priority,
    ...(receipt !== undefined && { receipt }),
  });
}

/**
 * Queues the dispatch of what was stored at some addresses.
 *
 * @throws Error if any record could not be queued; others may have been
 */
export async function queueAddresses(
  queues: CarrierQueues,
  wanted: { device: Device; address: Address }[],
  common: Omit<DispatchRecord, 'attempt' | 'copy' | 'to' | 'v'>,
): Promise<void> {
  const routed = wanted.flatMap(({ device, address }) =>
    carriersOf(device).map((carrier) => ({ carrier, address })),
  );
  await settleAll(
    [...Map.groupBy(routed, ({ carrier }) => carrier)].map(([carrier, group]) =>
      queues[carrier].send(
        chunks(group.map(({ address }) => address)).map(
          (to): DispatchRecord => ({ v: 1, ...common, attempt: 0, copy: newCopy(), to }),
        ),
      ),
    ),
  );
}

function chunks(addresses: Address[]): Address[][] {
  const count = Math.ceil(addresses.length / RECORD_DEVICES);
  return Array.from({ length: count }, (_, n) =>
    addresses.slice(n * RECORD_DEVICES, (n + 1) * RECORD_DEVICES),
  );
}
