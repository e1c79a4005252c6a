/** `peal admin preflight`. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Finding, Level } from '../../admin/preflight/findings.ts';
import type { CdkContext, Plan } from '../../admin/preflight/plan.ts';
import type { Report } from '../../admin/preflight/preflight.ts';
import { CliError, EXIT, TroubleError, UsageError } from '../../errors.ts';
import { printResult } from '../../output.ts';

const HELP = `
Before the first deployment, says what would make \`npx cdk deploy --all\` fail, or surprise: with your AWS credentials, the
account and its region are looked at, and nothing is changed. What would be deployed is read from peal.config.ts, as cdk
does, so it needs the checkout of Peal with its packages (npm ci), and neither --function nor --local.

Exit codes: 0 nothing blocks, 1 something does, 2 wrong usage, no credentials, or a wrong configuration, 3 nothing was
found to block, but AWS did not answer everything.

Examples:
  $ peal admin preflight
  $ AWS_PROFILE=staging peal admin preflight -c stage=staging
  $ peal admin preflight --json | jq -r '.findings[] | select(.level == "blocks") | .about'`;

export function registerPreflight(admin: Command): void {
  admin
    .command('preflight')
    .description('before the first deployment: what would make it fail (changes nothing)')
    .option(
      '-c, --context <name=value>',
      'a value of CDK’s context, as cdk takes it: -c stage=NAME',
      addContext,
      {},
    )
    .addHelpText('after', HELP)
    .action(run);
}

function addContext(text: string, before: CdkContext): CdkContext {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It looks like stage=NAME.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

async function run({ context }: { context: CdkContext }, command: Command): Promise<void> {
  // CDK and a dozen of AWS's clients: no other command should load them.
  const { cdkContext, readPlan } = await import('../../admin/preflight/plan.ts');
  const plan = await readPlan(cdkContext(context)).catch(explainMissing);
  const cdkOptions = context.stage === undefined ? '' : ` -c stage=${plan.settings.stage}`;
  const report = await lookAt(plan, cdkOptions).catch(explainMissing);
  await printResult(
    command.optsWithGlobals<{ json?: boolean }>().json === true,
    report,
    textOf(report, cdkOptions),
  );
  const blocking = report.findings.filter(({ level }) => level === 'blocks').length;
  if (blocking > 0) {
    throw new CliError(
      EXIT.refused,
      `${blocking} of what was found would make the deployment fail`,
      'Mend it and run preflight again.',
    );
  }
  if (report.trouble)
    throw new TroubleError('AWS did not answer everything', 'Run preflight again in a while.');
}

/** CDK and the clients are packages of development, which an installation can leave out. */
function explainMissing(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
    throw new UsageError(
      `preflight needs packages that are not installed: ${error.message}`,
      'Run npm ci in the folder of Peal, without --omit=dev.',
    );
  }
  throw error;
}

async function lookAt(plan: Plan, cdkOptions: string): Promise<Report> {
  const [{ Aws }, { preflight }] = await Promise.all([
    import('../../admin/preflight/aws.ts'),
    import('../../admin/preflight/preflight.ts'),
  ]);
  const aws = new Aws();
  try {
    return await preflight(plan, aws, cdkOptions);
  } finally {
    aws.close();
  }
}

const HEADINGS: Readonly<Record<Level, string>> = {
  blocks: 'IN THE WAY',
  warns: 'GOOD TO KNOW',
  unknown: 'NOT KNOWN',
};

function textOf(report: Report, cdkOptions: string): string {
  const { account, arn, region, stage, stacks, findings, ready } = report;
  const there = stacks.flatMap(({ name, status }) => (status === null ? [] : [`${name} ${status}`]));
  const none = stacks.length > 0 ? 'none is there' : 'not looked at';
  const lines = [
    `Account:  ${account} (${arn})`,
    `Region:   ${region}`,
    `Stage:    ${stage}`,
    `Stacks:   ${there.join(', ') || none}`,
  ];
  for (const level of Object.keys(HEADINGS) as Level[]) {
    const some = findings.filter((finding) => finding.level === level);
    if (some.length > 0) lines.push('', HEADINGS[level], ...some.map(findingText));
  }
  if (ready) lines.push('', `Nothing that was looked at is in the way of: npx cdk deploy --all${cdkOptions}`);
  return lines.join('\n');
}

function findingText({ check, about, advice, commands = [] }: Finding): string {
  return [
    `- ${check}: ${about}`,
    ...(advice === undefined ? [] : [`  ${advice}`]),
    ...commands.map((line) => `    $ ${line}`),
  ].join('\n');
}
