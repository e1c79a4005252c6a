/**
 * All endpoints of the API, by area, in the order in which the documentation has them. Nothing of AWS is behind these
 * modules, so whoever only asks what there is loads none of it.
 */
import * as account from './account/endpoints.ts';
import * as attachments from './attachments/endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import * as groups from './groups/endpoints.ts';
import * as history from './history/endpoints.ts';
import * as info from './info/endpoints.ts';
import * as media from './media/endpoints.ts';
import * as pushKey from './push-key/endpoints.ts';
import * as receipts from './receipts/endpoints.ts';
import * as send from './send/endpoints.ts';
import * as sync from './sync/endpoints.ts';

/** Endpoints that belong together. */
export interface Area {
  name: string;
  about: string;
  /** By names that stay: those of operations begin with the area's key, and end with them. */
  endpoints: Readonly<Record<string, Endpoint>>;
}

/** The areas of the API, by short names. */
export const AREAS: Readonly<Record<string, Area>> = {
  messages: {
    name: 'Messages',
    about: 'Sending, with the token of an app; and a test of one’s own devices.',
    endpoints: { ...send },
  },
  attachments: {
    name: 'Attachments',
    about: 'Images: uploaded ahead of their message where they are large, fetched and reported by devices.',
    endpoints: { ...attachments },
  },
  info: {
    name: 'Asking before sending',
    about: 'What a sender may want to know first.',
    endpoints: { ...info },
  },
  receipts: {
    name: 'Emergencies',
    about: 'Messages with priority 2 are repeated until somebody acknowledges them; a receipt says whether.',
    endpoints: { ...receipts },
  },
  groups: {
    name: 'Groups',
    about:
      'Users who are sent to by one key. Apps and sessions of the account that made a group see and change it.',
    endpoints: { ...groups },
  },
  media: {
    name: 'Sounds and icons',
    about: 'Files of an account: `/sounds/{id}.mp3` and `/icons/{icon}.png` serve them to everybody.',
    endpoints: { ...media },
  },
  account: {
    name: 'Accounts',
    about: 'Signing up and logging in; sessions, the second factor, devices and apps of an account.',
    endpoints: { ...account },
  },
  history: {
    name: 'History and usage',
    about: 'What the apps of an account have sent, and what became of it: states and times, never text.',
    endpoints: { ...history },
  },
  devices: {
    name: 'Messages on a device',
    about: 'What a device does with the secret of a session: it asks what waits, stores it, and says so.',
    endpoints: { ...sync, ...pushKey },
  },
};
