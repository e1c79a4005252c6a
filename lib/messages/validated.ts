import * as v from 'valibot';
import { demanded } from '../http/fields.ts';

/** What is checked: a key, and names of devices joined by commas, which do not matter for a group. */
export const VALIDATION = v.object({
  user: v.pipe(v.optional(v.string()), demanded(), v.description('Key of the user or group')),
  device: v.optional(v.pipe(v.string(), v.description('Names of devices, joined by commas'))),
});

/** What a sender learns of a key. */
export const VALIDATED = v.object({
  devices: v.pipe(v.array(v.string()), v.description('Names of the active devices; none for a group')),
  licenses: v.pipe(
    v.array(v.string()),
    v.description('Platforms that the user has a licence for; none for a group'),
  ),
  group: v.pipe(v.picklist([0, 1]), v.description('1 for the key of a group')),
});
