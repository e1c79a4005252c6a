import * as v from 'valibot';
import { requiredText } from '../http/fields.ts';
import { MAX_APP_NAME, type OwnedApp } from './apps.ts';

/** Parameters of a new app. */
export const NEW_APP = v.object({ name: requiredText(MAX_APP_NAME) });

/** A new app: its token is shown this once. */
export const CREATED_APP = v.object({ id: v.string(), token: v.string() });

/** An app as its owner sees it over the API. */
export const APP_VIEW = v.object({
  id: v.string(),
  name: v.string(),
  /** Unix seconds. */
  created_at: v.pipe(v.number(), v.integer()),
});

/** Shows an app. */
export function appView({ id, name, createdAt }: OwnedApp): v.InferOutput<typeof APP_VIEW> {
  return { id: String(id), name, created_at: createdAt };
}
