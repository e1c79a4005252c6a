import * as v from 'valibot';

/** The public id of a session: what follows from its stored hash. */
export const SESSION_ID = v.pipe(v.string(), v.description('Id of the session'));

/** A session as its account sees it. */
export const SESSION_VIEW = v.object({
  id: SESSION_ID,
  name: v.pipe(v.string(), v.description('What it said it was when it logged in, or its User-Agent')),
  created_at: v.pipe(v.number(), v.integer(), v.description('Unix seconds')),
  seen_at: v.pipe(v.number(), v.integer(), v.description('Unix seconds; to the day')),
  current: v.pipe(v.boolean(), v.description('Whether it is the session that asks')),
});
export type SessionView = v.InferOutput<typeof SESSION_VIEW>;

/** How many sessions were ended. */
export const REVOKED = v.object({ revoked: v.pipe(v.number(), v.integer()) });
