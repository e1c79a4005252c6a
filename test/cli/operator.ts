import type { Peal } from '../../local/peal.ts';
import type { Machine } from './run.ts';

/** Gives a machine the AWS credentials of an operator. */
export function makeOperator(machine: Machine, { cloud }: Peal): void {
  const {
    AWS_ACCESS_KEY_ID = '',
    AWS_SECRET_ACCESS_KEY = '',
    AWS_REGION = '',
  } = cloud.engine.awsEnvironment();
  Object.assign(machine.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION });
  // Those of whoever runs the tests are not to be found.
  machine.env.AWS_SHARED_CREDENTIALS_FILE = `${machine.folder}/none`;
  machine.env.AWS_CONFIG_FILE = `${machine.folder}/none`;
  machine.env.AWS_ENDPOINT_URL = cloud.front.url;
  machine.env.PEAL_ADMIN_FUNCTION = cloud.functionNamed('Admin').spec.name;
}
