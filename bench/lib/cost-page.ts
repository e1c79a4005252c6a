/** `docs/cost.md`: the arithmetic between the readings and the page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../lib/device/socket.ts';
import { count, fill, money, whole } from './fill.ts';
import {
  type Connection,
  connectionMonth,
  IDLE_MS,
  type Keeping,
  type MonthLine,
  priceTable,
  standingCosts,
  sumOf,
} from './idle.ts';
import { table } from './markdown.ts';
import { DURATION, dollars, FIREWALL, MONTH, PRICES, priceOf, STORAGE } from './prices.ts';
import type { Readings } from './readings.ts';
import { CROWD_DEVICES, IMAGE_BYTES, type ScenarioName } from './scenarios.ts';
import { ASSUMED, billOf, totalOf, type Usage } from './usage.ts';

/** Seconds between two messages that Peal sends to itself, in the example. */
const CANARY_S = 300;
/** Seconds for which a warm environment keeps its secret. */
const SECRET_S = 300;
/** Days that an image is kept at most. */
const IMAGE_DAYS = 3;

/** The whole page. */
export function costPage(readings: Readings): string {
  const { messages, deployment } = readings;
  const million = (name: ScenarioName) => money(totalOf(messages[name]));
  const standing = standingCosts(deployment);
  const keepAlive = connections(readings)[0]!;
  const template = readFileSync(join(import.meta.dirname, '..', 'pages', 'cost.md'), 'utf8');
  return fill(template, {
    short: table(
      ['In short', '$'],
      [
        ['a million messages to one Android phone', million('android')],
        ['a million messages to one connected desktop', million('desktop')],
        ['a million messages to five devices of one person', million('five')],
        ['a million messages to a group of ten people with fifty devices', million('fifty')],
        ['a desktop that is always connected, a month', money(sumOf(keepAlive.month.lines))],
        ['a deployment that nobody uses, a month', money(sumOf(standing))],
      ],
    ),
    crowd: String(CROWD_DEVICES),
    ...Object.fromEntries(Object.entries(ASSUMED).map(([name, ms]) => [name, String(ms)])),
    oneDevice: oneDevice(messages.android, messages.desktop),
    kinds: bills({
      Android: messages.android,
      iPhone: messages.iphone,
      desktop: messages.desktop,
      'closed browser': messages.browser,
      'Open Client': messages.open,
    }),
    devices: bills(
      {
        'one phone': messages.android,
        five: messages.five,
        fifty: messages.fifty,
        'a crowd': messages.crowd,
        'five desktops': messages.fiveDesktops,
        'fifty desktops': messages.fiftyDesktops,
      },
      [1, 5, 50, CROWD_DEVICES, 5, 50],
    ),
    sizes: bills({
      '200 B': messages.android,
      '1 KB': messages.kilobyte,
      '6 KB': messages.sixKilobytes,
      'with an image': messages.attachment,
      emergency: messages.emergency,
    }),
    image: String(IMAGE_BYTES / 1000),
    repetition: money(totalOf(messages.emergencyTwice) - totalOf(messages.emergency)),
    imageStorage: money((IMAGE_BYTES * 1e6 * STORAGE.s3 * IMAGE_DAYS) / 1e9 / 30),
    heartbeat: String(DEFAULT_LIMITS.heartbeat / 1000),
    connectionMonth: connectionTable(connections(readings)),
    standing: monthTable('Without any message', standing),
    options: monthTable('Off by default', options(readings), false),
    storageTables: money(STORAGE.dynamodb),
    storageBackup: money(STORAGE.backup),
    storageLogs: money(STORAGE.logs),
    storageImages: money(STORAGE.s3),
    secretReads: money(dollars(priceOf('secretsmanager.calls'), MONTH / SECRET_S)),
    examples: exampleTable(examples(readings)),
    others: othersTable(examples(readings)),
    prices: priceTable(),
  });
}

/** The README with what a message to a desktop costs. */
export function readmeOf(readme: string, { messages }: Readings): string {
  return readme.replace(
    /\$[\d.,]+ a million at list price/,
    () => `${money(totalOf(messages.desktop))} a million at list price`,
  );
}

/** What one message takes of each item, and what a million cost. */
function oneDevice(android: Usage, desktop: Usage): string {
  const rows = PRICES.flatMap(({ item, perMillion }) => {
    const lines = [android, desktop].map((usage) => billOf(usage).find((line) => line.item === item));
    if (!lines.some(Boolean)) return [];
    const cells = lines.flatMap((line) => [count(line?.amount ?? 0), money(line?.dollars ?? 0)]);
    return [[item, `$${perMillion}`, ...cells]];
  });
  const total = ['**Total**', '', '', money(totalOf(android)), '', money(totalOf(desktop))];
  return table(
    ['Item', '$ a million', 'Android: a message', '$', 'desktop: a message', '$'],
    [...rows, total],
  );
}

/** A table of bills, side by side; with numbers of devices, what one of them costs as well. */
function bills(columns: Record<string, Usage>, devices?: number[]): string {
  const usages = Object.values(columns);
  const row = (item: string) =>
    usages.map((usage) => money(billOf(usage).find((line) => line.item === item)?.dollars ?? 0));
  const rows = PRICES.map(({ item }) => [item, ...row(item)]).filter(([, ...cells]) => cells.some(Boolean));
  const totals = usages.map(totalOf);
  const duration = priceOf(DURATION).item;
  const without = usages.map((usage, n) => {
    const estimated = billOf(usage).find(({ item }) => item === duration)?.dollars ?? 0;
    return money(totals[n]! - estimated);
  });
  return table(
    ['$ a million messages', ...Object.keys(columns)],
    [
      ...rows,
      ['**Total**', ...totals.map(money)],
      [`without ${duration}, which are estimated`, ...without],
      ...(devices ? [['**Total a device**', ...totals.map((total, n) => money(total / devices[n]!))]] : []),
    ],
  );
}

/** A way to stay connected. */
interface Way {
  name: string;
  month: Connection;
}

/** A desktop's month with our heartbeat, with one just often enough, and without. */
export function connections({ login }: Readings): Way[] {
  const memory = login.functions.Socket?.memory ?? 0;
  // A tenth of it is left to chance: a twentieth on average.
  const life = DEFAULT_LIMITS.life * 0.95;
  const way = (name: string, keeping: Keeping): Way => ({
    name,
    month: connectionMonth(keeping, login, memory),
  });
  return [
    way(`heartbeat every ${DEFAULT_LIMITS.heartbeat / 1000} s`, {
      heartbeat: DEFAULT_LIMITS.heartbeat,
      life,
    }),
    way('heartbeat every 540 s', { heartbeat: 540_000, life }),
    way('no heartbeat', { life: IDLE_MS }),
  ];
}

function connectionTable(ways: Way[]): string {
  const numbers = (name: 'heartbeats' | 'logins') => ways.map(({ month }) => whole(month[name]));
  const lines = ways[0]!.month.lines.map(({ what }, n) => [
    `$ for ${what}`,
    ...ways.map(({ month }) => money(month.lines[n]!.dollars)),
  ]);
  return table(
    ['A month', ...ways.map(({ name }) => name)],
    [
      ['Heartbeats', ...numbers('heartbeats')],
      ['Logins', ...numbers('logins')],
      ...lines,
      ['**Total**', ...ways.map(({ month }) => money(sumOf(month.lines)))],
    ],
  );
}

function monthTable(heading: string, lines: readonly MonthLine[], total = true): string {
  const rows = lines.map(({ what, dollars: each }) => [what, money(each)]);
  return table([heading, '$ a month'], total ? [...rows, ['**Total**', money(sumOf(lines))]] : rows);
}

function options({ messages }: Readings): MonthLine[] {
  return [
    {
      what: `a message to itself every ${CANARY_S / 60} minutes (to one desktop)`,
      dollars: ((MONTH / CANARY_S) * totalOf(messages.desktop)) / 1e6,
    },
    {
      what: `a web application firewall with five rules; and ${money(FIREWALL.perMillion)} a million requests`,
      dollars: FIREWALL.month + 5 * FIREWALL.rule,
    },
  ];
}

/** A deployment's month. */
interface Example {
  name: string;
  messages: number;
  /** Users whom they reach, all together: what Pushover counts. */
  reached: number;
  /** Pushes to phones. */
  pushes: number;
  /** People who get them. */
  people: number;
  lines: MonthLine[];
}

/** The three examples of the page. */
export function examples(readings: Readings): Example[] {
  const { messages, deployment } = readings;
  const standing = sumOf(standingCosts(deployment));
  const desktop = sumOf(connections(readings)[0]!.month.lines);
  const example = (
    about: Omit<Example, 'lines' | 'messages'>,
    sent: Partial<Record<ScenarioName, number>>,
    desktops: number,
  ): Example => {
    const counts = Object.entries(sent) as [ScenarioName, number][];
    const used = counts.reduce((sum, [name, number]) => sum + (totalOf(messages[name]) * number) / 1e6, 0);
    return {
      ...about,
      messages: counts.reduce((sum, [, number]) => sum + number, 0),
      lines: [
        { what: 'messages', dollars: used },
        { what: 'connected desktops', dollars: desktops * desktop },
        { what: 'what stands', dollars: standing },
      ],
    };
  };
  return [
    example({ name: 'Household', reached: 3_000, pushes: 3_000, people: 1 }, { three: 3_000 }, 1),
    example(
      { name: 'Team of 50', reached: 99_000 + 10 * 1_000, pushes: 99_000 + 30 * 1_000, people: 50 },
      { three: 99_000, fifty: 1_000 },
      50,
    ),
    example(
      { name: 'Service', reached: 10_000_000, pushes: 10_000_000, people: 100_000 },
      { android: 10_000_000 },
      0,
    ),
  ];
}

function exampleTable(all: Example[]): string {
  const parts = all[0]!.lines.map(({ what }, n) => [
    `$ for ${what}`,
    ...all.map(({ lines }) => money(lines[n]!.dollars)),
  ]);
  return table(
    ['A month', ...all.map(({ name }) => name)],
    [
      ['Messages', ...all.map(({ messages }) => whole(messages))],
      ...parts,
      ['**Total**', ...all.map(({ lines }) => money(sumOf(lines)))],
    ],
  );
}

/** What others charge, dollars; November 2026. The page says from where that is known. */
const OTHERS = {
  pushover: { free: 10_000, freeTeam: 25_000, teamUser: 5, perMillion: [2_000, 5_000] },
  sns: { perMillion: 0.5 },
  oneSignal: { user: 0.012 },
} as const;

function othersTable(all: Example[]): string {
  const { pushover, sns, oneSignal } = OTHERS;
  const range = (reached: number, free: number, fixed: number) => {
    const [least, most] = pushover.perMillion.map(
      (price) => fixed + (Math.max(0, reached - free) * price) / 1e6,
    ) as [number, number];
    return least === most ? money(least) || 'free' : `${money(least)} to ${money(most)}`;
  };
  const alone = all.map(({ reached }) => range(reached, pushover.free, 0));
  const team = all.map(({ reached, people }) =>
    people === 1 || people > 1_000 ? '' : range(reached, pushover.freeTeam, people * pushover.teamUser),
  );
  return table(
    ['$ a month', ...all.map(({ name }) => name)],
    [
      ['**Peal**', ...all.map(({ lines }) => money(sumOf(lines)))],
      ['Pushover, messages beyond the free ones (and $4.99 once for each person and platform)', ...alone],
      [`Pushover for Teams, $${pushover.teamUser} for each user, with the messages beyond`, ...team],
      [
        `Amazon SNS, ${money(sns.perMillion)} a million pushes (to the phones alone)`,
        ...all.map(({ pushes }) => money((pushes * sns.perMillion) / 1e6)),
      ],
      [
        `OneSignal, $${oneSignal.user} for each user who can be reached`,
        ...all.map(({ people }) => money(people * oneSignal.user)),
      ],
    ],
  );
}
