import { CARRIERS, type CarrierName } from '../carriers/carrier.ts';
import { batchGet } from '../storage/batches.ts';
import { kind, newest, unchanged, versioned } from '../storage/schema.ts';
import type { Table } from '../storage/table.ts';
import type { MessageRef } from './item.ts';

/** How long it is known what became of a message, from its acceptance, its delivery and its acknowledgement. Seconds. */
export const TRACE_SECONDS = 30 * 24 * 3600;

/** Where the mark of a message is that carriers accepted. */
export const markKey = ({ device, id }: MessageRef) => ({ pk: device, sk: -id });

/**
 * Where it is noted that a device has acknowledged a message: in a partition of its own, so that no sync and no look
 * whether anything waits reads past it.
 */
export const acknowledgedKey = ({ device, id }: MessageRef) => ({ pk: `${ACKNOWLEDGED}${device}`, sk: id });

const ACKNOWLEDGED = 'acked#';
const ACKNOWLEDGEMENT = kind('acknowledgement', unchanged);

/** The item that notes it. @param at Unix seconds */
export function acknowledgement(ref: MessageRef, at: number): Record<string, unknown> {
  return versioned(ACKNOWLEDGEMENT, { ...acknowledgedKey(ref), at, ttl: at + TRACE_SECONDS });
}

/** What became of a copy of a message. Times in Unix seconds. */
export interface Trace {
  /** It is in the mailbox still. DynamoDB may purge it late: whether it has expired, its sender's entry says. */
  waits: boolean;
  /** When a carrier last accepted it, by the carrier. */
  delivered: Partial<Record<CarrierName, number>>;
  /** When its device last said that it has stored it. */
  acknowledgedAt?: number;
}

/**
 * What became of copies, in their order. Three keys a copy and a hundred keys a request, side by side; strongly
 * consistent: what was acknowledged a moment ago is known. A copy costs three read units, and more if it is large and
 * waits still.
 */
export async function tracesOf(table: Table, refs: MessageRef[]): Promise<Trace[]> {
  const keys = refs.flatMap((ref) => [{ pk: ref.device, sk: ref.id }, markKey(ref), acknowledgedKey(ref)]);
  const attributes = ['pk', 'sk', 'v', 'at', ...CARRIERS];
  const [items] = await batchGet([{ table, keys, consistent: true, attributes }]);
  const found = new Map(items!.map((item) => [`${item.pk} ${item.sk}`, item]));
  const at = ({ pk, sk }: { pk: string; sk: number }) => found.get(`${pk} ${sk}`);
  return refs.map((ref) => {
    const mark = at(markKey(ref));
    const noted = at(acknowledgedKey(ref));
    const acknowledgedAt = noted && (newest(ACKNOWLEDGEMENT, noted).at as number);
    const delivered = CARRIERS.flatMap((name) =>
      mark?.[name] === undefined ? [] : [[name, mark[name] as number]],
    );
    return {
      waits: at({ pk: ref.device, sk: ref.id }) !== undefined,
      delivered: Object.fromEntries(delivered),
      ...(acknowledgedAt !== undefined && { acknowledgedAt }),
    };
  });
}
