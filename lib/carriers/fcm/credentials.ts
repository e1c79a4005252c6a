import * as v from 'valibot';
import type { ServiceAccount } from './access-token.ts';

const SERVICE_ACCOUNT = v.object({
  project_id: v.pipe(v.string(), v.minLength(1)),
  client_email: v.pipe(v.string(), v.minLength(1)),
  private_key: v.pipe(v.string(), v.includes('PRIVATE KEY')),
});

/** The service account in a secret's text; undefined if the operator has not put one there. */
export function serviceAccountOf(secret: string): ServiceAccount | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), SERVICE_ACCOUNT), secret);
  return parsed.success ? parsed.output : undefined;
}
