/** Lambda's Invoke behind the front. */
import { arn } from '../template/pseudo.ts';
import type { LocalFunction } from '../types.ts';
import type { Access, Answer, Call, Service } from './call.ts';

export interface LambdaOptions {
  /** A function by name. */
  find(name: string): LocalFunction | undefined;
  /** Runs an asynchronous invocation with Lambda's retries; returns at once. */
  invokeLater(target: LocalFunction, payload: unknown): Promise<unknown>;
}

/** Bytes of an asynchronous invocation's payload (AWS Lambda developer guide, "Lambda quotas"). */
const MAX_EVENT = 1_048_576;

/** The Lambda service: `Invoke` with RequestResponse, Event and DryRun. */
export function createLambda({ find, invokeLater }: LambdaOptions): Service {
  return {
    accesses(call): Access[] | Answer {
      const name = functionName(call);
      if (name === undefined || call.method !== 'POST') {
        return failure(
          404,
          'UnknownOperationException',
          `${call.method} ${call.url} is not available in the local cloud`,
        );
      }
      return [{ action: 'lambda:InvokeFunction', resource: arn('lambda', `function:${name}`) }];
    },
    deny: (_call, message) => failure(403, 'AccessDeniedException', message),
    async run(call) {
      const name = functionName(call) ?? '';
      const target = find(name);
      if (!target) {
        const missing = arn('lambda', `function:${name}`);
        return failure(404, 'ResourceNotFoundException', `Function not found: ${missing}`);
      }
      const payload = parse(call.body);
      if (payload instanceof Error) {
        return failure(
          400,
          'InvalidRequestContentException',
          `Could not parse request body into json: ${payload.message}`,
        );
      }
      const type = call.headers['x-amz-invocation-type'] ?? 'RequestResponse';
      if (type === 'DryRun') return { status: 204, headers: {}, body: '' };
      if (type !== 'Event') return invoke(target, payload);
      if (call.body.length > MAX_EVENT) {
        const message = `Request must be smaller than ${MAX_EVENT} bytes for the InvokeFunction operation`;
        return failure(413, 'RequestTooLargeException', message);
      }
      void invokeLater(target, payload);
      return { status: 202, headers: {}, body: '' };
    },
  };
}

async function invoke(target: LocalFunction, event: unknown): Promise<Answer> {
  const { payload, error, requestId } = await target.invoke(event);
  const headers = { 'x-amzn-requestid': requestId, 'content-type': 'application/json' };
  if (error?.type === 'TooManyRequestsException') return failure(429, error.type, 'Rate Exceeded.');
  if (error?.type === 'RequestEntityTooLarge') return failure(413, 'RequestTooLargeException', error.message);
  if (error) {
    return {
      status: 200,
      headers: { ...headers, 'x-amz-function-error': 'Unhandled', 'x-amz-executed-version': '$LATEST' },
      body: JSON.stringify({ errorType: error.type, errorMessage: error.message }),
    };
  }
  return {
    status: 200,
    headers: { ...headers, 'x-amz-executed-version': '$LATEST' },
    body: JSON.stringify(payload ?? null),
  };
}

/** The name in `/2015-03-31/functions/{name or ARN}/invocations`. */
function functionName(call: Call): string | undefined {
  const found = /^\/2015-03-31\/functions\/([^/]+)\/invocations(?:\?|$)/.exec(call.url);
  if (!found?.[1]) return undefined;
  return decodeURIComponent(found[1]).split(':function:').at(-1)?.split(':')[0];
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    return error as Error;
  }
}

function failure(status: number, type: string, message: string): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Type: 'User', Message: message, message }),
  };
}
