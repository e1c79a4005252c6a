/** The device side of Peal, for browsers and Node alike. The store in a file is apart: `file-store.ts` needs Node. */
export * from './api.ts';
export * from './attachment.ts';
export * from './e2ee.ts';
export { type Enrolment, enrol } from './enrol.ts';
export { type Message, type MessageAttachment, parseEnvelope, type ReadEnvelope } from './envelope.ts';
export * from './errors.ts';
export { htmlToText } from './html-text.ts';
export type { HttpOptions } from './http.ts';
export * from './inbox.ts';
export * from './keys.ts';
export * from './listener.ts';
export { createMemoryStore } from './memory-store.ts';
export * from './message.ts';
export * from './open.ts';
export * from './socket.ts';
export * from './store.ts';
export * from './sync-loop.ts';
export * from './timers.ts';
