/**
 * The envelope: what is inside a sealed message. UTF-8 JSON, sealed with libsodium's `crypto_box_seal` to one
 * device's X25519 public key. docs/protocol.md describes it for other languages; `test/vectors/` has examples.
 */

/** Version of the envelope. A device refuses a version that it does not know, and keeps the message for later. */
export const ENVELOPE_VERSION = 1;

/** Version 1 of the envelope. Absent means "not set"; there are no nulls. */
export interface Envelope {
  v: typeof ENVELOPE_VERSION;
  /** Message id on this device: integer < 2^53, the key in the device's database, what is acknowledged. */
  id: number;
  /** Id of the message across all its recipients: integer < 2^53. */
  umid: number;
  /** Name of the application that sent it. */
  app: string;
  /** Id of the application: integer < 2^31. */
  aid: number;
  /** Name of the application's icon, to be fetched from `/icons/{icon}.png`. */
  icon: string;
  /** Time to show and to sort by: the sender's `timestamp`, else the time of receipt. Unix seconds. */
  date: number;
  /** When the server received it. Unix seconds. Only there if it differs from `date`. */
  received?: number;
  message: string;
  /** Absent: show the app's name. */
  title?: string;
  url?: string;
  url_title?: string;
  /** −2 … 2 (Pushover's scale). */
  priority: number;
  /**
   * The sound: a built-in one's name, the id of one of the sender's own, both at `/sounds/{sound}.mp3`; or a name that
   * only the recipient's own sounds may have. Absent, or nowhere to be found: the device's default.
   */
  sound?: string;
  /** The message text has Pushover's HTML subset. */
  html?: 1;
  /** The message text is to be shown in a monospaced face. */
  monospace?: 1;
  /** Its sender encrypted `message`, `title`, `url` and `url_title` with the account's key (Pushover's E2EE). */
  encrypted?: 1;
  /** When a device deletes the message by itself (the sender's `ttl`). Unix seconds. */
  expires?: number;
  /** Receipt of an emergency message (priority 2): what a device acknowledges it by. */
  receipt?: string;
  /** Seconds between the repetitions of an emergency message. There with `receipt`. */
  retry?: number;
  /** Until when an emergency message asks to be acknowledged. Unix seconds. There with `receipt`. */
  ack_until?: number;
  /** The image that was sent along. */
  attachment?: EnvelopeAttachment;
}

/**
 * An image, to be fetched within the days that the deployment keeps it. What is fetched is `nonce (12) ‖ ciphertext ‖ tag (16)`, AES-256-GCM with the
 * id's characters as additional data: one call of WebCrypto opens it.
 */
export interface EnvelopeAttachment {
  /** 30 of `[A-Za-z0-9]`. */
  id: string;
  /** AES-256 key of this image alone, base64. */
  key: string;
  /** MIME type, from the bytes: see `images.ts`. */
  type: string;
  /** Bytes of the image itself. */
  size: number;
}

/** How much longer an encrypted image is: its nonce and its tag. Bytes. */
export const ATTACHMENT_NONCE = 12;
export const ATTACHMENT_TAG = 16;
