import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkConfig } from '../../cdk/settings.ts';

const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000';

/** A configuration in which every field is given. */
const whole = () => ({
  stage: 'prod',
  region: 'eu-central-1',
  account: '123456789012',
  domains: {
    // With the firewall, CloudFront stands before the API.
    api: {
      name: 'api.example.org',
      certificateArn: CERTIFICATE.replace('eu-central-1', 'us-east-1'),
      hostedZoneId: 'Z0123',
    },
    socket: { name: 'socket.example.org', certificateArn: CERTIFICATE, hostedZoneId: 'Z0123' },
    web: {
      name: 'app.example.org',
      certificateArn: CERTIFICATE.replace('eu-central-1', 'us-east-1'),
      hostedZoneId: 'Z0123',
    },
  },
  signUp: 'open',
  registrationsPerHour: 1,
  quota: 1,
  burst: 1,
  retention: { messages: 21, attachments: 3, logs: 30 },
  secrets: { fcm: 'fcm', apns: 'apns', webpush: 'webpush' },
  directoryTable: 'peal-directory-20261128',
  alarms: 'ops@example.org',
  ceilings: { fcm: 2, apns: 2, webpush: 2, desktop: 2, fanOut: 2, repeat: 2, callback: 2, slow: 2 },
  throttle: { api: { rate: 1, burst: 1 }, socket: { rate: 1, burst: 1 } },
  waf: true,
  tracing: true,
  canary: 5,
});

/** The same with one field changed, given by its path. */
function withField(path: string, value: unknown): object {
  const config = whole();
  const names = path.split('.');
  const last = names.pop()!;
  let inner: Record<string, unknown> = config;
  for (const name of names) inner = inner[name] as Record<string, unknown>;
  Object.defineProperty(inner, last, { value, enumerable: true });
  return config;
}

/** Lines of what is wrong with a configuration. */
function wrongIn(config: unknown): string[] {
  try {
    checkConfig(config, 'peal.config.ts');
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'ConfigError', String(error));
    const [first, ...lines] = error.message.split('\n');
    assert.equal(first, 'peal.config.ts is wrong:');
    return lines.map((line) => line.trim());
  }
  return [];
}

/** What is no text at all. */
const noText: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string()),
  fc.object(),
);

/** What is no whole number within bounds. */
const noWhole = (least: number, most: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.integer({ min: -(2 ** 31), max: least - 1 }),
    fc.maxSafeInteger().filter((number) => number > most),
    fc.double({ noInteger: true }),
    fc.string(),
    fc.integer({ min: least, max: most }).map(String),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.integer()),
    fc.object(),
  );

const wrongText = (...wrong: string[]) => fc.oneof(noText, fc.constantFrom('', ' ', 'a\nb', ...wrong));

const name = wrongText(
  'example',
  'API.example.org',
  '*.example.org',
  'https://a.org',
  'a..org',
  '-a.org',
  '1.2.3.4',
);
const certificate = wrongText(
  'arn:aws:acm:eu-central-1:1:certificate/x',
  CERTIFICATE.replace('acm', 'iam'),
  'x',
);
const zone = wrongText('z0123', '/hostedzone/Z0123');
const secret = wrongText('arn:aws:secretsmanager:eu-central-1:123456789012:secret:x', 'a b', 'x'.repeat(513));
const limit = 2 ** 31 - 1;
const flag = fc.oneof(fc.constantFrom('true', 0, 1, null), fc.string(), fc.array(fc.boolean()), fc.object());
const group = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.anything()), fc.boolean());

const NAME = 'must be a host name in lower case';
const ARN = 'must be a certificate’s ARN, arn:aws:acm:REGION:ACCOUNT:certificate/ID';
const ZONE = 'must be the id of a Route 53 hosted zone';
const SECRET = 'must be the name of a secret in Secrets Manager, not its ARN';
const CEILING = 'must be a whole number from 2 to 1000';
const LIMIT = `must be a whole number from 0 (no limit) to ${limit}`;

/** By field: what is wrong there, and how it is said what is allowed. */
const WRONG: [string, fc.Arbitrary<unknown>, string][] = [
  [
    'stage',
    wrongText('Prod', '1st', 'a_b', 'a'.repeat(17), '../x'),
    'must be a lower-case letter, then up to 15',
  ],
  ['region', wrongText('eu', 'EU-central-1', 'eu-central', 'frankfurt'), 'must be an AWS region'],
  [
    'account',
    wrongText('12345678901', '1234567890123', 'mine'),
    'must be an AWS account, 12 digits in quotes',
  ],
  ['domains', group, 'must be an object with fields of api, socket, web'],
  ...['api', 'socket', 'web'].flatMap((of): typeof WRONG => [
    [`domains.${of}`, group, 'must be an object with fields of name, certificateArn, hostedZoneId'],
    [`domains.${of}.name`, name, NAME],
    [`domains.${of}.certificateArn`, certificate, ARN],
    [`domains.${of}.hostedZoneId`, zone, ZONE],
  ]),
  ['signUp', wrongText('Open', 'everybody'), 'must be one of open, invitation, closed'],
  ['registrationsPerHour', noWhole(1, limit), `must be a whole number from 1 to ${limit}`],
  ['quota', noWhole(0, limit), LIMIT],
  ['burst', noWhole(0, limit), LIMIT],
  ['retention', group, 'must be an object with fields of messages, attachments, logs'],
  ['retention.messages', noWhole(1, 21), 'must be a whole number from 1 to 21'],
  ['retention.attachments', noWhole(1, 21), 'must be a whole number from 1 to 21'],
  [
    'retention.logs',
    fc.constantFrom(0, 2, 31, 3654, '30', null),
    'must be days that CloudWatch knows: 1, 3, 5,',
  ],
  ['secrets', group, 'must be an object with fields of fcm, apns, webpush'],
  ...['fcm', 'apns', 'webpush'].map((of): (typeof WRONG)[number] => [`secrets.${of}`, secret, SECRET]),
  [
    'directoryTable',
    wrongText('ab', 'a b', 'x'.repeat(256), 'arn:aws:dynamodb:eu-central-1:123456789012:table/x'),
    'must be the name of a table in DynamoDB, not its ARN',
  ],
  [
    'alarms',
    wrongText('ops', 'a@b', 'a b@example.org', 'arn:aws:sqs:eu-central-1:1:x'),
    'must be an e-mail address',
  ],
  [
    'ceilings',
    group,
    'must be an object with fields of fcm, apns, webpush, desktop, fanOut, repeat, callback',
  ],
  ...Object.keys(whole().ceilings).map((of): (typeof WRONG)[number] => [
    `ceilings.${of}`,
    noWhole(2, 1000),
    CEILING,
  ]),
  ['throttle', group, 'must be an object with fields of api, socket'],
  ...['api', 'socket'].flatMap((of): typeof WRONG => [
    [`throttle.${of}`, group, 'must be an object with fields of rate, burst'],
    [`throttle.${of}.rate`, noWhole(1, 100_000), 'must be a whole number from 1 to 100000'],
    [`throttle.${of}.burst`, noWhole(1, 50_000), 'must be a whole number from 1 to 50000'],
  ]),
  ['waf', flag, 'must be true or false'],
  ['tracing', flag, 'must be true or false'],
  [
    'canary',
    noWhole(1, 60).filter((value) => value !== 'off'),
    'must be whole minutes from 1 to 60, or "off"',
  ],
];

/** Paths of all fields, groups included. */
function pathsOf(value: object, before = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = before + key;
    return typeof inner === 'object' ? [path, ...pathsOf(inner, `${path}.`)] : [path];
  });
}

test('the configuration that is made wrong below is right, and no field of it is forgotten', () => {
  assert.deepEqual(wrongIn(whole()), []);
  assert.deepEqual(WRONG.map(([path]) => path).sort(), pathsOf(whole()).sort());
});

for (const [path, values, allowed] of WRONG) {
  test(`whatever is wrong in ${path}, its path and what is allowed are said, and nothing of the rest`, () => {
    fc.assert(
      fc.property(values, (value) => {
        const [line = '', ...others] = wrongIn(withField(path, value));

        assert.ok(line.startsWith(`${path} ${allowed}`), `${JSON.stringify(value)}: ${line}`);
        assert.deepEqual(others, []);
      }),
      { numRuns: 60 },
    );
  });
}

const groups = pathsOf(whole()).filter((path) =>
  /^(domains|retention|secrets|ceilings|throttle)$|^(domains|throttle)\.\w+$/.test(path),
);

test('a field that there is not is named, wherever it stands, with those that there are', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', ...groups),
      fc.stringMatching(/^[A-Za-z_$][\w$]{0,12}$/),
      (at, unknown) => {
        const path = at === '' ? unknown : `${at}.${unknown}`;
        fc.pre(!pathsOf(whole()).includes(path));

        const [line = '', ...others] = wrongIn(withField(path, 1));

        const shown = /^\w+$/.test(unknown) ? path : path.replace(unknown, () => JSON.stringify(unknown));
        assert.ok(line.startsWith(`${shown} is unknown; there are `), line);
        assert.deepEqual(others, []);
      },
    ),
  );
});

for (const [what, config, line] of [
  [
    'attachments that outlive their messages',
    { retention: { messages: 2, attachments: 3 } },
    'retention.attachments must be at most retention.messages, which is 2, not 3',
  ],
  [
    'a certificate of the API elsewhere than the deployment',
    { region: 'eu-west-1', domains: { api: { name: 'a.example.org', certificateArn: CERTIFICATE } } },
    'domains.api.certificateArn must be of a certificate in eu-west-1, which is region, not in eu-central-1',
  ],
  [
    'a certificate of the socket without a region',
    { domains: { socket: { name: 'a.example.org', certificateArn: CERTIFICATE } } },
    'region must be given with domains.socket: eu-central-1, where its certificate is',
  ],
  [
    'a certificate of the web app that CloudFront would not find',
    { region: 'eu-central-1', domains: { web: { name: 'a.example.org', certificateArn: CERTIFICATE } } },
    'domains.web.certificateArn must be of a certificate in us-east-1, where CloudFront looks for it, not in eu-central-1',
  ],
  [
    'one name for two addresses',
    {
      region: 'eu-central-1',
      domains: {
        api: { name: 'a.example.org', certificateArn: CERTIFICATE },
        socket: { name: 'a.example.org', certificateArn: CERTIFICATE },
      },
    },
    'domains.socket.name must differ from domains.api.name, not "a.example.org"',
  ],
  [
    'a topic that alarms of the region cannot reach',
    { region: 'eu-west-1', alarms: 'arn:aws:sns:eu-central-1:123456789012:ops' },
    'alarms must be a topic in eu-west-1, which is region, not in eu-central-1',
  ],
] as const) {
  test(`refuses ${what}`, () => {
    assert.deepEqual(wrongIn(config), [line]);
  });
}
