/** What was stored for a request that then failed could not be withdrawn, or may be withdrawn only later. */
export class LeftBehind extends Error {
  override readonly name = 'LeftBehind';
}

/**
 * Takes back what a failed request stored.
 *
 * @throws LeftBehind if that fails as well
 */
export async function takeBack(withdraw: () => Promise<void>): Promise<void> {
  try {
    await withdraw();
  } catch (cause) {
    throw new LeftBehind(`could not be withdrawn: ${cause}`, { cause });
  }
}
