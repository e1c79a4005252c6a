import * as v from 'valibot';
import { requiredText } from '../http/fields.ts';
import type { OwnedApp } from './apps.ts';

/** Longest name of an app, in characters; a message without a title shows it as one (Pushover: at most 20). */
const MAX_NAME = 20;

/** Parameters of a new app. */
export const NEW_APP = v.object({ name: requiredText(MAX_NAME, 'What messages without a title are headed') });

const TOKEN = v.pipe(v.string(), v.description('Shown this once'));

/** A new app. */
export const CREATED_APP = v.object({ id: v.string(), token: TOKEN });

/** An app that got another token. */
export const ROTATED_APP = v.object({ token: TOKEN });

/** An app's id, in a path. */
export const APP_ID = v.pipe(v.string(), v.regex(/^\d{1,10}$/), v.description('Id of the app'));

/** An app as its owner sees it over the API. */
export const APP_VIEW = v.object({
  id: v.string(),
  name: v.string(),
  icon: v.pipe(v.string(), v.description('Name of its icon: `/icons/{icon}.png`')),
  created_at: v.pipe(v.number(), v.integer(), v.description('Unix seconds')),
});

/** Shows an app. */
export function appView({ id, name, icon, createdAt }: OwnedApp): v.InferOutput<typeof APP_VIEW> {
  return { id: String(id), name, icon, created_at: createdAt };
}
