/** Calls the operator's function with AWS credentials: it has no address, so IAM is what guards it. */
import type { InvokeCommandOutput } from '@aws-sdk/client-lambda';
import type { AdminCommand, AnswerOf, CommandName } from '../../functions/admin/index.ts';
import { awsClient } from '../../lib/net/aws-client.ts';
import { RefusedError, TroubleError, UsageError } from '../errors.ts';

/** The operator's function. */
export interface AdminFunction {
  /** Its name, or its ARN. */
  name: string;
  /** Where AWS is, for the local cloud, which knows its operator without credentials. */
  endpoint?: string;
}

/**
 * Invokes the function and awaits its answer. Credentials, region and endpoint come from where every AWS tool takes
 * them: environment, profile, instance role; AWS_ENDPOINT_URL for another address.
 *
 * @param field that the answer must have: another function would not
 * @throws CliError
 */
export async function invokeAdmin<Name extends CommandName>(
  { name, endpoint }: AdminFunction,
  command: AdminCommand<Name>,
  field: keyof AnswerOf<Name> & string,
): Promise<AnswerOf<Name>> {
  // Loaded only here: no other command should pay for it.
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  let output: InvokeCommandOutput;
  try {
    const client = awsClient('operator', LambdaClient, endpoint === undefined ? {} : { endpoint, ...LOCAL });
    const Payload = JSON.stringify(command);
    output = await client.send(new InvokeCommand({ FunctionName: name, Payload }));
  } catch (error) {
    throw explainAws(error, name);
  }
  const text = output.Payload?.transformToString() ?? '';
  if (output.FunctionError !== undefined) throw new TroubleError(`${name} failed: ${text}`, 'See its log.');
  const answer = parse(text);
  if (Array.isArray(answer.errors)) throw new RefusedError(answer.errors.join('; '), []);
  if (field in answer) return answer as AnswerOf<Name>;
  throw new TroubleError(
    `${name} did not answer with ${field}`,
    'Check that this is the function behind the output AdminFunction, and deployed as new as this command is.',
  );
}

/** What the local cloud takes its operator by. */
const LOCAL = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local-root', secretAccessKey: 'local' },
};

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** What the SDK fails with, as a message and advice. Unknown errors are answered as they are. */
function explainAws(error: unknown, name: string): unknown {
  if (!(error instanceof Error)) return error;
  const { httpStatusCode: status } = Object(Object(error).$metadata);
  if (error.name === 'CredentialsProviderError') {
    return new UsageError(
      'no AWS credentials found',
      'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    );
  }
  if (/Region is missing/.test(error.message)) {
    return new UsageError('no AWS region given', 'Set AWS_REGION, or a region in the profile.');
  }
  if (error.name === 'ResourceNotFoundException') {
    return new RefusedError(
      `there is no function ${name}`,
      [],
      'Give the output AdminFunction of the stack PealApi, and its region in AWS_REGION.',
    );
  }
  if (typeof status === 'number' && status >= 400 && status < 500 && status !== 429) {
    const advice =
      status === 403 ? 'The credentials must be valid and allow lambda:InvokeFunction on it.' : undefined;
    return new RefusedError(`AWS refuses the call: ${error.message || error.name}`, [], advice);
  }
  if (typeof status === 'number' || isNetworkError(error)) {
    return new TroubleError(
      `AWS cannot be reached or is in trouble: ${reasonOf(error)}`,
      'Try again in a while.',
    );
  }
  return error;
}

/** node:http's errors have a code; the SDK's own for silence is called TimeoutError. */
function isNetworkError(error: Error): boolean {
  return error.name === 'TimeoutError' || ('code' in error && typeof error.code === 'string');
}

function reasonOf(error: Error): string {
  return error.message || ('code' in error && typeof error.code === 'string' ? error.code : error.name);
}
