/** What a configuration may say, checked, with a default for what it leaves out. */
import * as v from 'valibot';
import { SIGN_UP_MODES } from '../lib/accounts/sign-up-mode.ts';
import { THROTTLES } from '../lib/accounts/throttles.ts';
import { MAX_MESSAGE_DAYS } from '../lib/mailbox/mailbox.ts';
import { LOG_DAYS, type PealConfig } from './peal-config.ts';

/** Days that an attachment can be fetched by default. */
const ATTACHMENT_DAYS = 3;

/** What clients read the numbers of `X-Limit-…` into, and no loop gets to. */
const MOST = 2 ** 31 - 1;

/** AWS's bounds for an event source mapping's maximum concurrency. */
const [LEAST_CEILING, MOST_CEILING] = [2, 1000];

/** A name in the DNS: labels of letters, digits and hyphens, of which the last is no number. */
const HOST = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
const CERTIFICATE = /^arn:aws[a-z-]*:acm:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:certificate\/[A-Za-z0-9-]{1,64}$/;
const TOPIC = /^arn:aws[a-z-]*:sns:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:[A-Za-z0-9_-]{1,256}$/;
const EMAIL = /^[^\s@:/]{1,64}@[^\s@:/]{1,251}\.[^\s@:/.]{2,63}$/;

/** Says of every way in which a value is wrong what is allowed. */
const mustBe = <Schema extends v.GenericSchema>(schema: Schema, allowed: string) =>
  v.message(schema, `must be ${allowed}`);

const text = (pattern: RegExp, allowed: string) => mustBe(v.pipe(v.string(), v.regex(pattern)), allowed);

const between = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

const whole = (least: number, most: number, none = '') =>
  mustBe(between(least, most), `a whole number from ${least}${none} to ${most}`);

const flag = v.optional(mustBe(v.boolean(), 'true or false'), false);

type InputOf<Entries extends v.ObjectEntries> = v.InferInput<v.StrictObjectSchema<Entries, undefined>>;

/** An object with these fields and no other. */
function fields<Entries extends v.ObjectEntries>(entries: Entries) {
  const names = Object.keys(entries).join(', ');
  return v.pipe(
    v.custom<v.InferInput<v.StrictObjectSchema<Entries, undefined>>>(
      isPlain,
      `must be an object with fields of ${names}`,
    ),
    v.strictObject(entries, ({ expected }) =>
      expected === 'never' ? `is unknown; there are ${names}` : 'is missing',
    ),
  );
}

/** The same, which may be left out when all of its fields may. */
const group = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.optional(fields(entries), {} as InputOf<Entries>);

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export const STAGE = text(
  /^[a-z][a-z0-9-]{0,15}$/,
  'a lower-case letter, then up to 15 lower-case letters, digits or hyphens',
);

const domain = v.optional(
  fields({
    name: text(HOST, 'a host name in lower case, such as push.example.org'),
    certificateArn: text(CERTIFICATE, 'a certificate’s ARN, arn:aws:acm:REGION:ACCOUNT:certificate/ID'),
    hostedZoneId: v.optional(
      text(/^[A-Z0-9]{1,32}$/, 'the id of a Route 53 hosted zone, such as Z0123456789ABC'),
    ),
  }),
);

const secret = v.optional(
  text(/^(?!arn:)[A-Za-z0-9/_+=.@-]{1,512}$/, 'the name of a secret in Secrets Manager, not its ARN'),
);

const ceiling = (fallback: number) => v.optional(whole(LEAST_CEILING, MOST_CEILING), fallback);

const throttle = (rate: number, burst: number) =>
  group({ rate: v.optional(whole(1, 100_000), rate), burst: v.optional(whole(1, 50_000), burst) });

const retention = v.pipe(
  group({
    messages: v.optional(whole(1, MAX_MESSAGE_DAYS), MAX_MESSAGE_DAYS),
    attachments: v.optional(whole(1, MAX_MESSAGE_DAYS)),
    logs: v.optional(mustBe(v.picklist(LOG_DAYS), `days that CloudWatch knows: ${LOG_DAYS.join(', ')}`), 30),
  }),
  v.transform(({ attachments, messages, ...rest }) => ({
    messages,
    attachments: attachments ?? Math.min(ATTACHMENT_DAYS, messages),
    ...rest,
  })),
);

/** Whom alarms go to. */
const alarms = v.optional(
  v.pipe(
    mustBe(
      v.pipe(
        v.string(),
        v.check((given) => EMAIL.test(given) || TOPIC.test(given)),
      ),
      'an e-mail address or an SNS topic’s ARN, arn:aws:sns:REGION:ACCOUNT:NAME',
    ),
    v.transform((given) => (TOPIC.test(given) ? { topicArn: given } : { email: given })),
  ),
);

const schema = fields({
  stage: v.optional(STAGE),
  region: v.optional(text(REGION, 'an AWS region, such as eu-central-1')),
  account: v.optional(text(/^\d{12}$/, 'an AWS account, 12 digits in quotes')),
  domains: group({ api: domain, socket: domain, web: domain }),
  signUp: v.optional(mustBe(v.picklist(SIGN_UP_MODES), `one of ${SIGN_UP_MODES.join(', ')}`), 'closed'),
  registrationsPerHour: v.optional(whole(1, MOST), THROTTLES.signUpAddress.most),
  quota: v.optional(whole(0, MOST, ' (no limit)'), 0),
  // What no app means to send, but one in a loop does.
  burst: v.optional(whole(0, MOST, ' (no limit)'), 1200),
  retention,
  secrets: group({ fcm: secret, apns: secret, webpush: secret }),
  directoryTable: v.optional(text(/^[A-Za-z0-9_.-]{3,255}$/, 'the name of a table in DynamoDB, not its ARN')),
  alarms,
  // Enough for thousands of messages a second, and few enough that APNs sees a handful of connections and that a
  // backlog does not starve the API of the account's Lambda concurrency.
  ceilings: group({
    fcm: ceiling(10),
    apns: ceiling(10),
    webpush: ceiling(10),
    desktop: ceiling(10),
    fanOut: ceiling(10),
    repeat: ceiling(10),
    callback: ceiling(5),
    slow: ceiling(5),
  }),
  throttle: group({ api: throttle(5_000, 2_500), socket: throttle(500, 1_000) }),
  waf: flag,
  tracing: flag,
  canary: v.pipe(
    v.optional(
      mustBe(v.union([v.literal('off'), between(1, 60)]), 'whole minutes from 1 to 60, or "off"'),
      'off',
    ),
    v.transform((given) => (given === 'off' ? undefined : { minutes: given })),
  ),
}) satisfies v.GenericSchema<PealConfig, unknown>;

/** A configuration with everything decided. */
export type Settings = v.InferOutput<typeof schema> & { stage: string };

/** What is wrong in a configuration, one line each. */
export class ConfigError extends Error {
  constructor(source: string, wrong: string[]) {
    super(`${source} is wrong:\n${wrong.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Checks a configuration and fills in what it leaves out.
 *
 * @param source where it is from, for the error
 * @param stage if it names none
 * @throws ConfigError that names each wrong field, what it has, and what is allowed
 */
export function checkConfig(config: unknown, source: string, stage = 'prod'): Settings {
  // Of one value, the first thing that is wrong: all say the same of what is allowed.
  const result = v.safeParse(schema, config, { abortPipeEarly: true });
  if (!result.success) {
    const lines = result.issues.map((issue) => `${pathOf(issue)} ${issue.message}${given(issue)}`);
    throw new ConfigError(source, lines);
  }
  const settings = { ...result.output, stage: result.output.stage ?? stage };
  const lines = conflicts(settings);
  if (lines.length > 0) throw new ConfigError(source, lines);
  return settings;
}

/** The field that an issue is of. */
function pathOf({ path }: v.BaseIssue<unknown>): string {
  const names = (path ?? []).map(({ key }) =>
    /^\w+$/.test(String(key)) ? String(key) : JSON.stringify(key),
  );
  return names.join('.') || 'it';
}

/** What stands there instead; of an unknown or a missing field there is nothing to show. */
function given({ type, input }: v.BaseIssue<unknown>): string {
  if (type === 'strict_object') return '';
  const text = typeof input === 'object' || typeof input === 'string' ? JSON.stringify(input) : String(input);
  return `, not ${text.length > 80 ? `${text.slice(0, 77)}…` : text}`;
}

const regionOf = (arn: string) => arn.split(':')[3];

/** What is right by itself but not beside the rest. */
function conflicts({ region, domains, retention, alarms, waf }: Settings): string[] {
  const wrong: string[] = [];
  if (retention.attachments > retention.messages) {
    wrong.push(
      `retention.attachments must be at most retention.messages, which is ${retention.messages}, not ${retention.attachments}`,
    );
  }
  if (waf && region === undefined) {
    wrong.push('region must be given with waf, which is in us-east-1 and has to be known to the rest');
  }
  const taken = new Map<string, string>();
  for (const name of ['api', 'socket', 'web'] as const) {
    const domain = domains[name];
    if (!domain) continue;
    const before = taken.get(domain.name);
    if (before) {
      wrong.push(
        `domains.${name}.name must differ from domains.${before}.name, not ${JSON.stringify(domain.name)}`,
      );
    }
    taken.set(domain.name, name);
    const there = regionOf(domain.certificateArn);
    // CloudFront looks for certificates in one region alone, whatever the deployment's is.
    const atEdge = name === 'web' || (name === 'api' && waf);
    const needed = atEdge ? 'us-east-1' : region;
    if (needed === undefined) {
      wrong.push(`region must be given with domains.${name}: ${there}, where its certificate is`);
    } else if (there !== needed) {
      const why = atEdge ? 'where CloudFront looks for it' : 'which is region';
      wrong.push(
        `domains.${name}.certificateArn must be of a certificate in ${needed}, ${why}, not in ${there}`,
      );
    }
  }
  if (alarms && 'topicArn' in alarms && region !== undefined && regionOf(alarms.topicArn) !== region) {
    wrong.push(`alarms must be a topic in ${region}, which is region, not in ${regionOf(alarms.topicArn)}`);
  }
  return wrong;
}
