/**
 * Every change of the configuration deploys, in both directions, with nothing but `cdk deploy --all`: no stack keeps
 * another from changing, and none goes on with what is not there any more.
 *
 * The kind of fault: what one stack knows of another is fixed, or forgotten, at a deployment of either.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PealConfig } from '#config';
import type { StackTemplate } from '../../local/template/assembly.ts';
import { Deployment } from '../../local/template/deployment.ts';
import { assemblyOf } from './in-process.ts';
import type { Resource } from './templates.ts';

const HERE = { region: 'us-east-1' };
const named = (name: string, region = 'us-east-1') => ({
  name: `${name}.example.org`,
  certificateArn: `arn:aws:acm:${region}:111122223333:certificate/one`,
});

/** What makes another deployment of it, not another state of the same. */
type Place = 'account' | 'region' | 'stage';

/** Changes of what stacks name of one another, each by itself. */
const NAMING: PealConfig[] = [
  { domains: { api: named('api') } },
  { domains: { socket: named('socket') } },
  { secrets: { fcm: 'peal/fcm', apns: 'peal/apns', webpush: 'peal/webpush' } },
  { directoryTable: 'restored' },
  { waf: true },
  { canary: 5 },
];

/** Every field, by the type; what is not among the changes above leaves alone what stacks name of one another. */
const FIELDS: Required<{ [Field in Exclude<keyof PealConfig, Place>]: PealConfig[Field] | 'naming' }> = {
  domains: { web: named('web') },
  signUp: 'invitation',
  registrationsPerHour: 7,
  quota: 7,
  burst: 7,
  retention: { messages: 14, attachments: 7, logs: 90 },
  secrets: 'naming',
  directoryTable: 'naming',
  alarms: 'operators@example.org',
  ceilings: { fcm: 40, apns: 4, webpush: 20, desktop: 20, fanOut: 20, repeat: 5, callback: 2 },
  throttle: { api: { rate: 1_000, burst: 500 }, socket: { rate: 100, burst: 200 } },
  waf: 'naming',
  tracing: true,
  canary: 'naming',
};
const OTHERS: PealConfig = Object.fromEntries(
  Object.entries(FIELDS).filter(([, value]) => value !== 'naming'),
);
const CHANGES = [...NAMING, OTHERS];

/** A configuration with all of these changes. */
function together(...changes: PealConfig[]): PealConfig {
  const domains = Object.assign({}, ...changes.map((config) => config.domains));
  return Object.assign({}, HERE, ...changes, { domains });
}

/** What an account has that was deployed from nothing. */
class State {
  readonly name: string;
  readonly stacks: StackTemplate[];
  readonly #account = new Deployment();

  constructor(config: PealConfig) {
    this.name = JSON.stringify(config);
    this.stacks = assemblyOf(config);
    this.#account.deployAll(this.stacks);
  }

  /** Deploys other templates over it, and looks what is wrong then. */
  becomes(stacks: StackTemplate[], what: string): void {
    const changed = this.#account.copy();
    assert.doesNotThrow(() => changed.deployAll(stacks), `${this.name} → ${what}`);
    assert.deepEqual(changed.stale(), [], `${this.name} → ${what}`);
  }
}

/** What each stack makes for others or names of them. */
function namesIn(stacks: StackTemplate[]): string[] {
  const names = stacks.flatMap(({ name: stack, template }) =>
    (JSON.stringify(template).match(/"\/Peal[\w/-]+"/g) ?? []).map((name) => `${stack} ${name}`),
  );
  return [...new Set(names)].sort();
}

const ones = (bits: number) => bits.toString(2).replaceAll('0', '').length;

/**
 * Configurations with some of the changes, in which every two of them are each with and without the other: an orthogonal
 * array of strength two. Among the ways between any two of these is each way that a pair can change.
 */
function combinations(): PealConfig[] {
  const rows = 2 ** Math.ceil(Math.log2(CHANGES.length + 1));
  return Array.from({ length: rows }, (_, row) =>
    together(...CHANGES.filter((_, column) => ones(row & (column + 1)) % 2 === 1)),
  );
}

const [plain, ...combined] = combinations().map((config) => new State(config)) as [State, ...State[]];
const single = CHANGES.map((change) => new State(together(change)));

test('every field changes, alone, with each other, and against each other, there and back', () => {
  const rows = [plain, ...combined];

  for (const one of rows) for (const other of rows) one.becomes(other.stacks, other.name);
  for (const one of single) {
    plain.becomes(one.stacks, one.name);
    one.becomes(plain.stacks, plain.name);
  }
});

test('the changes are those of names, and the rest of the fields', () => {
  for (const [n, { name, stacks }] of single.entries()) {
    const isSame = JSON.stringify(namesIn(stacks)) === JSON.stringify(namesIn(plain.stacks));
    assert.equal(isSame, n >= NAMING.length, name);
  }
});

const far = [
  new State({ region: 'eu-central-1' }),
  new State({ region: 'eu-central-1', waf: true }),
] as const;

test('the firewall comes and goes in another region than the rest', () => {
  const [without, behind] = far;

  without.becomes(behind.stacks, 'on');
  behind.becomes(without.stacks, 'off');
});

const templatesOf = (stacks: StackTemplate[]) => stacks.map(({ template }) => template);

test('what another stack names is replaced, under its old id or another, and all stacks go on with the new one', () => {
  const state = single[NAMING.findIndex(({ waf }) => waf)]!;
  const ids = [...new Set(namesIn(state.stacks).map((name) => name.split('/')[2]!))];
  assert.ok(ids.length > 50);
  const replaced = structuredClone(state.stacks);
  for (const { Resources } of templatesOf(replaced)) {
    const resources = Resources as unknown as Record<string, Resource>;
    for (const id of ids) Object.assign(resources[id]?.Properties ?? {}, { Another: 'value' });
  }
  const renamed = ids.reduce(
    (text, id) => text.replaceAll(id, `${id}x`),
    JSON.stringify(templatesOf(state.stacks)),
  );

  state.becomes(replaced, 'replaced');
  state.becomes(
    state.stacks.map((stack, n) => ({ ...stack, template: JSON.parse(renamed)[n] })),
    'renamed',
  );
});

test('stacks export nothing, and only what is in another region is read from outputs', () => {
  const [near, away] = [combined, far].map((states) =>
    JSON.stringify(states.map(({ stacks }) => templatesOf(stacks))),
  ) as [string, string];

  for (const text of [near, away]) assert.doesNotMatch(text, /"Export"|Fn::ImportValue|ExportsReader/);
  assert.doesNotMatch(near, /Fn::GetStackOutput/);
  assert.equal(away.match(/Fn::GetStackOutput/g)?.length, 2);
});

test('what is stored for other stacks is a name of a resource, and no secret’s value', () => {
  const stored = [...combined, ...far].flatMap(({ stacks }) =>
    templatesOf(stacks).flatMap(({ Resources }) =>
      Object.values(Resources as unknown as Record<string, Resource>).filter(
        ({ Type }) => Type === 'AWS::SSM::Parameter',
      ),
    ),
  );

  assert.ok(stored.length > 0);
  for (const { Properties } of stored) {
    const [how] = Object.keys(Properties.Value as object);
    assert.ok(how === 'Ref' || how === 'Fn::GetAtt', JSON.stringify(Properties));
  }
});
