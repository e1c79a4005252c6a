/** Which test files run one after another in one process, with one Peal for those of the same configuration. */

/** What the functions answer. */
export const FUNCTIONS = [
  'functions/account.test.ts',
  'functions/attachments.test.ts',
  'functions/bad-input.test.ts',
  'functions/bad-wire.test.ts',
  'functions/devices.test.ts',
  'functions/e2ee.test.ts',
  'functions/groups-of-owner.test.ts',
  'functions/groups.test.ts',
  'functions/history.test.ts',
  'functions/idempotency.test.ts',
  'functions/info.test.ts',
  'functions/media.test.ts',
  'functions/openapi.test.ts',
  'functions/push-key.test.ts',
  'functions/receipt-state.test.ts',
  'functions/receipts.test.ts',
  'functions/send.test.ts',
  'functions/sessions.test.ts',
  'functions/socket.test.ts',
  'functions/sync.test.ts',
  'functions/twofa.test.ts',
];

/** What becomes of a message, and what other configurations change. */
export const FLOWS = [
  'clients/recordings.test.ts',
  'dispatch/delivery.test.ts',
  'dispatch/desktop.test.ts',
  'dispatch/webpush.test.ts',
  'fanout/fan-out.test.ts',
  'fanout/groups.test.ts',
  'receipts/repeats.test.ts',
  'local/web/server.test.ts',
  'web/third-party.test.ts',
  'functions/admin-accounts.test.ts',
  'functions/limits.test.ts',
  'functions/throttles.test.ts',
  'functions/private-logs.test.ts',
  'functions/sign-up.test.ts',
  'upgrade/old-items.test.ts',
  'cli/local-cloud.test.ts',
];
