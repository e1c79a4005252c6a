/** Checks of the body of FCM's `messages:send`, in the order in which its answers show them. */

/** Why a body is refused: a google.rpc.Status without its code. */
export interface Violation {
  message: string;
  /** The field that is at fault, if it can be told. */
  field?: string;
  /** FCM itself refuses (FcmError in the details), not the parser in front of it. */
  fcm: boolean;
}

/** A message that passed. */
export interface FcmMessage {
  /** Token, installation id, topic or condition. */
  target: string;
  /** To a topic or a condition, which have no target that could be gone. */
  broadcast: boolean;
  message: Record<string, unknown>;
  validateOnly: boolean;
}

const MESSAGE_FIELDS = [
  'name data notification android webpush apns fcm_options token fid topic condition',
  'fcmOptions',
].flatMap((names) => names.split(' '));
const ANDROID_FIELDS = [
  'collapse_key priority ttl restricted_package_name data notification fcm_options direct_boot_ok',
  'collapseKey restrictedPackageName fcmOptions directBootOk bandwidth_constrained_ok restricted_satellite_ok',
].flatMap((names) => names.split(' '));
const TARGETS = ['token', 'fid', 'topic', 'condition'] as const;

/** Registration tokens are opaque; these are the characters and lengths that occur. */
const TOKEN = /^[\w:.%-]{8,4096}$/;
/** Firebase installation ids: 22 characters of URL-safe base64. */
const FID = /^[\w-]{22}$/;
const DURATION = /^\d{1,9}(\.\d{1,9})?s$/;
const MAX_TTL_SECONDS = 28 * 24 * 3600;
const MAX_BYTES = 4096;
const MAX_TOPIC_BYTES = 2048;

/** Reads and checks a request's body. */
export function readMessage(body: Buffer): FcmMessage | Violation {
  const parsed = parse(body);
  if (!parsed) return refused('Invalid JSON payload received.');
  const unknown = Object.keys(parsed).find(
    (name) => !['message', 'validate_only', 'validateOnly'].includes(name),
  );
  if (unknown) return refused(`Unknown name "${unknown}": no such field.`, unknown);

  const { message } = parsed;
  if (!isObject(message)) return refused('Request lacks a message.', 'message');
  return checkShape(message) ?? checkMessage(message, parsed);
}

function checkShape(message: Record<string, unknown>): Violation | undefined {
  const unknown = Object.keys(message).find((name) => !MESSAGE_FIELDS.includes(name));
  if (unknown) return refused(`Unknown name "${unknown}" at 'message': no such field.`, 'message');

  if (message.data !== undefined) {
    if (!isObject(message.data)) return refused("Invalid value at 'message.data'", 'message.data');
    const bad = Object.values(message.data).findIndex((value) => typeof value !== 'string');
    if (bad >= 0) {
      const field = `message.data[${bad}].value`;
      return refused(`Invalid value at '${field}' (TYPE_STRING)`, field);
    }
  }

  const { android } = message;
  if (android === undefined) return undefined;
  if (!isObject(android)) return refused("Invalid value at 'message.android'", 'message.android');
  const odd = Object.keys(android).find((name) => !ANDROID_FIELDS.includes(name));
  if (odd) return refused(`Unknown name "${odd}" at 'message.android': no such field.`, 'message.android');
  if (android.priority !== undefined && !/^(normal|high)$/i.test(String(android.priority))) {
    return refused("Invalid value at 'message.android.priority'", 'message.android.priority');
  }
  if (android.ttl !== undefined && !(typeof android.ttl === 'string' && DURATION.test(android.ttl))) {
    return refused("Invalid value at 'message.android.ttl' (Duration)", 'message.android.ttl');
  }
  const collapse = android.collapse_key ?? android.collapseKey;
  if (collapse !== undefined && typeof collapse !== 'string') {
    return refused("Invalid value at 'message.android.collapse_key'", 'message.android.collapse_key');
  }
  return undefined;
}

function checkMessage(
  message: Record<string, unknown>,
  request: Record<string, unknown>,
): FcmMessage | Violation {
  const named = TARGETS.filter((name) => message[name] !== undefined);
  const kind = named[0];
  if (named.length !== 1 || !kind || typeof message[kind] !== 'string') {
    return {
      message: 'Exactly one of token, fid, topic or condition is required',
      field: 'message',
      fcm: true,
    };
  }
  const target = String(message[kind]);
  if (kind === 'token' && !TOKEN.test(target)) {
    return { message: 'The registration token is not a valid FCM registration token', fcm: true };
  }
  if (kind === 'fid' && !FID.test(target)) {
    return { message: 'The installation id is not valid', field: 'message.fid', fcm: true };
  }

  const android = isObject(message.android) ? message.android : {};
  if (android.ttl !== undefined && Number.parseFloat(String(android.ttl)) > MAX_TTL_SECONDS) {
    return { message: 'Invalid TTL', field: 'message.android.ttl', fcm: true };
  }

  const data = { ...asData(message.data), ...asData(android.data) };
  const reserved = Object.keys(data).find((key) => /^(from$|message_type$|google\.|gcm\.)/.test(key));
  if (reserved) return { message: `Invalid data payload key: ${reserved}`, field: 'message.data', fcm: true };

  // Notification messages count by their text; the rest of a message does not count.
  const notification = isObject(message.notification) ? JSON.stringify(message.notification).length : 0;
  let bytes = notification;
  for (const [key, value] of Object.entries(data)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > (kind === 'topic' || kind === 'condition' ? MAX_TOPIC_BYTES : MAX_BYTES)) {
    return { message: 'Android message is too big', fcm: true };
  }
  const broadcast = kind === 'topic' || kind === 'condition';
  return {
    target,
    broadcast,
    message,
    validateOnly: request.validate_only === true || request.validateOnly === true,
  };
}

function refused(message: string, field?: string): Violation {
  return field === undefined ? { message, fcm: false } : { message, field, fcm: false };
}

function parse(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON: answered as such.
    return undefined;
  }
}

function asData(value: unknown): Record<string, string> {
  return isObject(value) ? (value as Record<string, string>) : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
