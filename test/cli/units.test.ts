import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { CliError } from '../../cli/errors.ts';
import { explain } from '../../cli/failures.ts';
import { deviceName } from '../../cli/listen/device.ts';
import { harmless, jsonLine, table } from '../../cli/output.ts';
import { configFile, dataFolder } from '../../cli/paths.ts';
import { readLine } from '../../cli/prompt.ts';
import { parseDuration, parseTime } from '../../cli/time.ts';
import { PealError } from '../../lib/device/errors.ts';
import { htmlToText } from '../../lib/device/html-text.ts';
import { anyCharacter } from '../support/text.ts';

test('never shows a password that is typed', async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const answer = readLine(input, output, 'Password: ', false);

  input.write('secrer\u007ft\n');

  assert.equal(await answer, 'secret');
  assert.equal(String(output.read()), 'Password: ');
});

test('takes an end of the input and an interruption for no answer', async () => {
  for (const typed of ['\u0003', '\u0004']) {
    const input = new PassThrough();
    const answer = readLine(input, new PassThrough(), '? ', true);

    input.write(typed);

    await assert.rejects(answer, { exitCode: 130 });
  }
});

test('says how long to wait where the server says so, and else that the quota is spent', () => {
  const refused = { status: 429, errors: ['no'], fields: { token: 'no' } };

  const soon = explain(new PealError({ ...refused, retryAfter: 7 }), 'server') as CliError;
  const later = explain(new PealError(refused), 'server') as CliError;

  assert.match(soon.advice ?? '', /Wait 7 s/);
  assert.match(later.advice ?? '', /quota is spent/);
});

test('keeps files where each system expects them', () => {
  const on = (platform: NodeJS.Platform, env: Record<string, string> = {}) => {
    const where = { env, platform, home: '/home/me' };
    return [configFile(where), dataFolder(where)];
  };

  assert.deepEqual(on('linux'), ['/home/me/.config/peal/config.json', '/home/me/.local/share/peal']);
  assert.deepEqual(on('linux', { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: 'relative' }), [
    '/c/peal/config.json',
    '/home/me/.local/share/peal',
  ]);
  assert.deepEqual(on('darwin'), [
    '/home/me/Library/Application Support/peal/config.json',
    '/home/me/Library/Application Support/peal',
  ]);
  assert.deepEqual(on('win32', { APPDATA: '/r', LOCALAPPDATA: '/l' }), ['/r/peal/config.json', '/l/peal']);
  assert.deepEqual(on('linux', { PEAL_CONFIG: '/x.json', PEAL_DATA: '/y' }), ['/x.json', '/y']);
});

test('needs no home folder when both places are named', () => {
  const where = {
    env: {} as Record<string, string>,
    platform: 'linux' as const,
    get home(): string {
      throw new Error('no home');
    },
  };

  assert.throws(() => configFile(where), /no home/);
  where.env = { PEAL_CONFIG: '/x.json', PEAL_DATA: '/y' };
  assert.deepEqual([configFile(where), dataFolder(where)], ['/x.json', '/y']);
});

test("makes a host's name a device's name", () => {
  const names = ['web-1.example.com', 'Ann’s MacBook Pro.local', 'x'.repeat(40), '...', 'größe', ''].map(
    deviceName,
  );

  assert.deepEqual(names, ['web-1', 'Ann-s-MacBook-Pro', 'x'.repeat(25), 'computer', 'gr-e', 'computer']);
});

test('reads durations and times', () => {
  assert.deepEqual(['90', '90s', '15m', '2h', '7d'].map(parseDuration), [90, 90, 900, 7200, 604_800]);
  assert.deepEqual(['1800000000', '2027-01-15T08:00:00Z'].map(parseTime), [1_800_000_000, 1_800_000_000]);
  for (const wrong of ['', '-1', '1w', '1.5h', 'soon']) assert.throws(() => parseDuration(wrong));
  for (const wrong of ['', 'noon', '1', '2027-99-99'].filter((text) => text !== '1')) {
    assert.throws(() => parseTime(wrong));
  }
});

test('shows HTML as text', () => {
  const cases: Record<string, string> = {
    'plain 1 < 2 > 0 & more': 'plain 1 < 2 > 0 & more',
    '<b>bold</b> &amp; <font color="#f00">red</font><br/>next': 'bold & red\nnext',
    '<a href="https://e.com/?a=1&amp;b=2">here</a>': 'here (https://e.com/?a=1&b=2)',
    "<A HREF='x'>x</A> <a>y</a> &#65;&#x42;&nope;&#xffffff;": 'x y AB&nope;&#xffffff;',
    '<b unclosed': '<b unclosed',
  };

  for (const [html, text] of Object.entries(cases)) assert.equal(htmlToText(html), text);
});

test('lets no text reach the terminal that could steer it', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (text) => {
      const shown = [...harmless(text), ...jsonLine({ text }), ...table(['A'], [[text]])].join('');

      const steering = [...shown].filter((char) => /\p{Cc}/u.test(char) && char !== '\n' && char !== '\t');
      assert.deepEqual(steering, []);
    }),
  );
  assert.equal(harmless('a\u001b[2J\r\nb\u202ec\u0085'), 'a␛[2J\nbc');
});

test('hands over to the Node of the package when the one at hand is too old', async () => {
  const launcher = fileURLToPath(new URL('../../cli/peal.js', import.meta.url));
  const older =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })";
  const run = (args: string[]) =>
    new Promise<{ code: unknown; stdout: string }>((resolve) => {
      const all = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, launcher, ...args];
      execFile(process.execPath, all, (error, stdout) => resolve({ code: error?.code ?? 0, stdout }));
    });

  const [version, wrong] = await Promise.all([run(['--version']), run(['frobnicate'])]);

  assert.deepEqual([version.code, wrong.code], [0, 2]);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});
