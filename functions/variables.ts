/** The only place where environment variables are read. Each is set in `cdk/`; one that is missing fails the start. */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`environment variable ${name} is not set`);
  return value;
}

/** One of a few words. */
export function choice<Word extends string>(name: string, words: readonly Word[]): Word {
  const value = variable(name);
  const found = words.find((word) => word === value);
  if (found === undefined) throw new Error(`environment variable ${name} is none of ${words.join(', ')}`);
  return found;
}
