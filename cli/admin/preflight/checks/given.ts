/** What the configuration takes to be there: secrets with credentials, a restored table. */
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Scene } from '../scene.ts';

export async function checkGiven(scene: Scene): Promise<void> {
  const { secrets, directoryTable } = scene.plan.settings;
  await Promise.all([
    ...Object.entries(secrets).map(([carrier, name]) =>
      name === undefined ? undefined : checkSecret(scene, carrier, name),
    ),
    directoryTable === undefined ? undefined : checkTable(scene, directoryTable),
  ]);
}

/** Without its secret a stack deploys all the same, and the carrier reaches nobody. */
async function checkSecret({ aws, findings, region }: Scene, carrier: string, name: string): Promise<void> {
  const client = aws.client(SecretsManagerClient, region);
  const answer = await findings.ask('given', 'DescribeSecret', () =>
    client.send(new DescribeSecretCommand({ SecretId: name })),
  );
  if (answer === undefined) return;
  if (answer === 'missing') {
    findings.add({
      level: 'warns',
      check: 'given',
      about: `There is no secret ${name} in ${region}, which secrets.${carrier} names: the carrier would fail.`,
      advice: 'Make it, and fill it with peal admin setup; or leave the name out, and Peal makes one.',
      commands: [`aws secretsmanager create-secret --name ${name} --secret-string '{}' --region ${region}`],
    });
  } else if (answer.DeletedDate) {
    findings.add({
      level: 'warns',
      check: 'given',
      about: `The secret ${name}, which secrets.${carrier} names, is about to be deleted: the carrier would fail.`,
      commands: [`aws secretsmanager restore-secret --secret-id ${name} --region ${region}`],
    });
  }
}

async function checkTable({ aws, findings, region }: Scene, name: string): Promise<void> {
  const client = aws.client(DynamoDBClient, region);
  const answer = await findings.ask('given', 'DescribeTable', () =>
    client.send(new DescribeTableCommand({ TableName: name })),
  );
  if (answer === undefined) return;
  const wrong = (about: string) =>
    findings.add({
      level: 'blocks',
      check: 'given',
      about,
      advice: 'docs/upgrade.md says how a Directory is restored.',
      commands: [`aws dynamodb list-tables --region ${region}`],
    });
  if (answer === 'missing') {
    wrong(`There is no table ${name} in ${region}, which directoryTable names: nothing would work.`);
    return;
  }
  const { KeySchema = [], TableStatus } = answer.Table ?? {};
  if (KeySchema.map(({ AttributeName }) => AttributeName).join() !== 'pk,sk') {
    wrong(`The table ${name}, which directoryTable names, is no Directory: its keys are not pk and sk.`);
  } else if (TableStatus !== 'ACTIVE') {
    findings.add({
      level: 'blocks',
      check: 'given',
      about: `The table ${name}, which directoryTable names, is ${TableStatus}.`,
      commands: [`aws dynamodb wait table-exists --table-name ${name} --region ${region}`],
    });
  }
}
