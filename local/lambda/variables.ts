/** The environment variables that a function sees (AWS Lambda: "Defined runtime environment variables"). */
import type { FunctionSpec } from '../types.ts';

/** The template's own variables win over `given`, and Lambda's reserved ones over both. */
export function variablesOf(spec: FunctionSpec, given: Record<string, string>): Record<string, string> {
  const region = spec.arn.split(':')[3] || 'us-east-1';
  return {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...given,
    ...spec.environment,
    _HANDLER: spec.handler,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memory),
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${spec.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: '[$LATEST]local',
    AWS_REGION: region,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LAMBDA_TASK_ROOT: spec.codeDir,
  };
}

/** Variables that take effect only when the process starts with them. */
const AT_START = ['TZ', 'LANG', 'PATH', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'LOCAL_NETWORK'];

export function startVariables(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => AT_START.includes(name)));
}
