/** What tells an AWS SDK to call the front. */
import { ROOT } from '../iam/iam.ts';
import { REGION } from '../template/pseudo.ts';
import type { FunctionSpec } from '../types.ts';

/** Environment of a function whose SDK clients are to call the front under the function's own role. */
export function awsEnvironment(
  front: { url: string },
  spec: Pick<FunctionSpec, 'accessKeyId'> = { accessKeyId: ROOT },
): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: spec.accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: front.url,
    AWS_ENDPOINT_URL_SQS: front.url,
    AWS_ENDPOINT_URL_S3: front.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: front.url,
    AWS_ENDPOINT_URL_LAMBDA: front.url,
  };
}
