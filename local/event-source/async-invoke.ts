/** Lambda's asynchronous invocation: a queue of its own, two more tries after an error. */
import { asNumber, asString, TemplateError } from '../template/json.ts';
import { type Model, whereIs } from '../template/model.ts';
import type { CloudLog, InvokeResult, LocalFunction } from '../types.ts';

export interface AsyncInvoker {
  /** Invokes in the background. @returns what the first try gives; nobody has to wait for it */
  invoke(target: LocalFunction, payload: unknown): Promise<InvokeResult>;
  /** Forgets the tries that wait. */
  close(): void;
}

/** Milliseconds before the second and the third try (AWS Lambda developer guide, "Error handling"). */
const DELAYS = [60_000, 120_000];

/**
 * Retries by function name, from every `AWS::Lambda::EventInvokeConfig`.
 *
 * @throws TemplateError for destinations, which are not run here
 */
export function readRetries(model: Model): Map<string, number> {
  const retries = new Map<string, number>();
  for (const resource of model.ofType('AWS::Lambda::EventInvokeConfig')) {
    const { properties } = resource;
    if (properties.DestinationConfig !== undefined) {
      throw new TemplateError(whereIs(resource, 'DestinationConfig'), 'is not supported here');
    }
    const name = asString(properties.FunctionName, whereIs(resource, 'FunctionName'));
    const where = whereIs(resource, 'MaximumRetryAttempts');
    retries.set(name, asNumber(properties.MaximumRetryAttempts ?? DELAYS.length, where));
  }
  return retries;
}

/** @param retries by function name; two where it says nothing */
export function createAsyncInvoker(
  retries: ReadonlyMap<string, number>,
  log: CloudLog,
  delays: readonly number[] = DELAYS,
): AsyncInvoker {
  const timers = new Set<NodeJS.Timeout>();
  const attempt = async (target: LocalFunction, payload: unknown, tries: number): Promise<InvokeResult> => {
    const result = await target.invoke(payload);
    const { error } = result;
    if (!error) return result;
    const { name } = target.spec;
    const delay = tries < (retries.get(name) ?? delays.length) ? delays[tries] : undefined;
    if (delay === undefined) {
      log('error', `${name}: asynchronous invocation given up after ${tries + 1} tries: ${error.message}`, {
        function: name,
      });
      return result;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      void attempt(target, payload, tries + 1);
    }, delay);
    timers.add(timer);
    return result;
  };
  return {
    invoke: (target, payload) => attempt(target, payload, 0),
    close() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
