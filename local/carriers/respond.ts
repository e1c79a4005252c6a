/** How a stand-in answers a request: as it decides, unless a fault was ordered. */

import { type Asked, later } from './asked.ts';
import type { Faults } from './faults.ts';
import type { Journal } from './journal.ts';
import type { FaultRule, Received } from './types.ts';

/** What a stand-in makes of a request. */
export interface Decision {
  status: number;
  headers?: Record<string, string>;
  body: string;
  /** Why not, in the carrier's words. */
  reason?: string;
  /** What the device gets, if the request was accepted. */
  accepted?: Received;
}

/** The part of a stand-in that differs from carrier to carrier. */
export interface Behaviour {
  carrier: FaultRule['carrier'];
  /** The target that a request names, as far as it can be told. */
  targetOf(asked: Asked): string;
  /** Checks a request as the carrier does. Called once for each request that is not dropped before. */
  decide(asked: Asked): Decision;
  /** The carrier's error body. */
  errorBody(status: number, reason: string): string;
}

/** Answers requests by a behaviour, with the ordered faults. */
export function responder(behaviour: Behaviour, faults: Faults, journal: Journal): (asked: Asked) => void {
  return (asked) => {
    const target = behaviour.targetOf(asked);
    const fault = faults.take(behaviour.carrier, target);

    const note = (status: number, reason?: string) => {
      const entry = { carrier: behaviour.carrier, target, status, connection: asked.connection };
      journal.handled(reason === undefined ? entry : { ...entry, reason });
    };
    const take = () => {
      const decision = behaviour.decide(asked);
      if (decision.accepted) journal.record(decision.accepted);
      return decision;
    };
    const serve = (bodyAfter?: number) => {
      const decision = take();
      asked.answer(decision.status, decision.headers ?? {}, decision.body, bodyAfter);
      note(decision.status, decision.reason);
    };

    switch (fault?.kind) {
      case undefined:
        serve();
        return;
      case 'status': {
        const body = fault.body ?? (fault.reason ? behaviour.errorBody(fault.status, fault.reason) : '');
        asked.answer(fault.status, fault.headers ?? {}, body);
        note(fault.status, fault.reason);
        return;
      }
      case 'delay':
        later(fault.ms, serve);
        return;
      case 'slow-body':
        serve(fault.ms);
        return;
      case 'goaway':
        asked.goaway();
        serve();
        return;
      case 'stream-limit':
        asked.allowStreams(fault.streams);
        serve();
        return;
      case 'silence':
        break;
      case 'reset-before':
        asked.reset();
        break;
      case 'reset-after':
        take();
        asked.reset();
        break;
      case 'goaway-close':
        asked.goaway();
        asked.drop();
        break;
      case 'close':
        asked.drop();
        break;
    }
    note(0, fault.kind);
  };
}
