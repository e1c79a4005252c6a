/**
 * Which test files run one after another in one process: starting one, and loading what they share, costs more than
 * most of them do. Those of a list that ask for Peals of the same configuration share one.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';

const TESTS = join(import.meta.dirname, '..');

const inFolders = (...folders: string[]) =>
  folders.flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: TESTS })).sort();

/** What needs no Peal, or hardly any of one. */
const PARTS = inFolders(
  'accounts',
  'attachments',
  'bench',
  'carriers',
  'device',
  'docs',
  'history',
  'http',
  'mailbox',
  'media',
  'messages',
  'net',
  'protocol',
  'scripts',
  'sealing',
  'storage',
);

/** Looks at an account with what CDK makes of a configuration: where CDK is loaded already. */
const PREFLIGHT = 'cli/preflight.test.ts';

/** What CDK makes of a configuration. */
const TEMPLATES = [...inFolders('cdk'), PREFLIGHT];

/** What the functions answer. */
const FUNCTIONS = [
  'functions/account.test.ts',
  ...inFolders('functions/attachments'),
  'functions/bad-input.test.ts',
  'functions/bad-wire.test.ts',
  'functions/devices.test.ts',
  'functions/e2ee.test.ts',
  'functions/groups-of-owner.test.ts',
  'functions/groups.test.ts',
  'functions/hidden-members.test.ts',
  'functions/history.test.ts',
  'functions/idempotency.test.ts',
  'functions/info.test.ts',
  'functions/media.test.ts',
  'functions/openapi-document.test.ts',
  'functions/openapi.test.ts',
  'functions/push-key.test.ts',
  'functions/receipt-state.test.ts',
  'functions/receipts.test.ts',
  'functions/send.test.ts',
  'functions/sessions.test.ts',
  'functions/socket.test.ts',
  'functions/sync.test.ts',
  'functions/twofa.test.ts',
  'functions/weights.test.ts',
];

/** What becomes of a message, with whatever client, and what other configurations change. */
const FLOWS = [
  'clients/recordings.test.ts',
  'clients/pushover-clients.test.ts',
  'browser/device.test.ts',
  'browser/docs.test.ts',
  ...inFolders('dispatch', 'fanout', 'receipts'),
  'local/web/server.test.ts',
  'web/third-party.test.ts',
];

/** What the operator does, and what other configurations change. */
const OPERATORS = [
  'functions/admin-accounts.test.ts',
  'functions/admin-carriers.test.ts',
  'functions/admin.test.ts',
  'functions/canary.test.ts',
  'functions/edge.test.ts',
  'functions/limits.test.ts',
  'functions/metrics.test.ts',
  'functions/throttles.test.ts',
  'functions/private-logs.test.ts',
  'functions/retention.test.ts',
  'functions/sign-up.test.ts',
  ...inFolders('upgrade'),
];

/** What is typed. */
const COMMANDS = inFolders('cli').filter((file) => file !== PREFLIGHT);

/** The local cloud by itself. What it takes to use every grant is a file of its own. */
const CLOUD = inFolders('local').filter(
  (file) => !['local/grants.test.ts', 'local/web/server.test.ts'].includes(file),
);

/** By the name of the file in this folder that runs them. */
export const TOGETHER = {
  cloud: CLOUD,
  commands: COMMANDS,
  flows: FLOWS,
  functions: FUNCTIONS,
  operators: OPERATORS,
  parts: PARTS,
  templates: TEMPLATES,
};
