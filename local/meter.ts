/** Counters by function and item. */
import type { Meter } from './types.ts';

/** A meter with nothing counted yet. */
export function createMeter(): Meter {
  let counters = new Map<string, Map<string, number>>();
  return {
    count(who, item, amount) {
      const items = counters.get(who) ?? new Map<string, number>();
      items.set(item, (items.get(item) ?? 0) + amount);
      counters.set(who, items);
    },
    read() {
      return Object.fromEntries([...counters].map(([who, items]) => [who, Object.fromEntries(items)]));
    },
    reset() {
      counters = new Map();
    },
  };
}
