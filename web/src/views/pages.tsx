/** The pages of the app beside the messages, in the order of the menu. Another page is another line here. */
import type { ComponentType } from 'preact';
import { text } from '../text.ts';
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
  { name: 'settings', title: text.nav.settings, View: Settings },
];
