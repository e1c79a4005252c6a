/** The pages of the app beside the messages, in the order of the menu. Another page is another line here. */
import type { ComponentType } from 'preact';
import { text } from '../text.ts';
import { Apps } from './apps.tsx';
import { Devices } from './devices.tsx';
import { Groups } from './groups.tsx';
import { History } from './history.tsx';
import { OwnSounds } from './own-sounds.tsx';
import { Security } from './security.tsx';
import { Settings } from './settings.tsx';
import { Start } from './start.tsx';

export interface Page {
  /** In the address: `#/settings`. */
  name: string;
  title: string;
  View: ComponentType;
}

export const PAGES: readonly Page[] = [
  { name: 'start', title: text.nav.start, View: Start },
  { name: 'apps', title: text.nav.apps, View: Apps },
  { name: 'groups', title: text.nav.groups, View: Groups },
  { name: 'devices', title: text.nav.devices, View: Devices },
  { name: 'sounds', title: text.nav.sounds, View: OwnSounds },
  { name: 'history', title: text.nav.history, View: History },
  { name: 'security', title: text.nav.security, View: Security },
  { name: 'settings', title: text.nav.settings, View: Settings },
];
