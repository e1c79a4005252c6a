/**
 * Credentials or configuration of the operator's that cannot be used, whatever is sent with them. Nothing else counts as
 * the operator's fault: a `TypeError` may be a mistake of ours, which a retry or a later release can mend.
 */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}
