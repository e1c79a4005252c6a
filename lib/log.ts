/** A line for whoever operates Peal. Never message text, keys, tokens, secrets or push targets. */
export type Log = (
  level: 'error' | 'info' | 'warn',
  message: string,
  fields: Record<string, unknown>,
) => void;
