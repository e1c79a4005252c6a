/** What AWS's errors mean, whatever protocol they came in. */

/**
 * `missing`: what was asked for does not exist. `denied`: the credentials do not allow the question. `inactive`: the
 * account may not use the service yet. `identity`: the credentials themselves are not good. `trouble`: no answer, or not
 * now.
 */
export type Kind = 'denied' | 'identity' | 'inactive' | 'missing' | 'trouble';

/** An error of a call to AWS. */
export class AwsError extends Error {
  readonly kind: Kind;

  constructor(kind: Kind, message: string) {
    super(message);
    this.name = 'AwsError';
    this.kind = kind;
  }
}

/** Names that say it. XML services say `AccessDenied`, the others `AccessDeniedException`. */
const KINDS: readonly [Kind, RegExp][] = [
  ['denied', /^(?:AccessDenied|AuthorizationError|Forbidden|NotAuthorized|UnauthorizedOperation)/],
  ['inactive', /^(?:OptInRequired|SubscriptionRequired)/],
  [
    'identity',
    /^(?:CredentialsProviderError|ExpiredToken|IncompleteSignature|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|TokenRefreshRequired|UnrecognizedClient)/,
  ],
  [
    'missing',
    /^(?:NoSuch(?:Bucket|HostedZone|Resource)|NotFound|ParameterNotFound|ResourceNotFound)(?:Exception)?$/,
  ],
];

/**
 * What a call failed with.
 *
 * @throws the error itself if it is none of AWS's, of the network's or of the credentials': a fault of the program
 */
export function awsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (!(error instanceof Error)) throw error;
  const { httpStatusCode: status } = Object(Object(error).$metadata);
  const { name } = error;
  // An answer to HEAD has no body that could say more.
  const message = error.message === 'UnknownError' ? `HTTP ${status}` : error.message;
  for (const [kind, pattern] of KINDS) if (pattern.test(name)) return new AwsError(kind, message || name);
  // CloudFormation has no name of its own for it.
  if (/^Stack with id \S+ does not exist$/.test(message)) {
    return new AwsError('missing', message || name);
  }
  if (status === 403) return new AwsError('denied', message || name);
  if (typeof status === 'number') return new AwsError('trouble', `${name}: ${message} (${status})`);
  if (name === 'TimeoutError' || 'code' in error) {
    const reason = message || ('code' in error && typeof error.code === 'string' ? error.code : name);
    return new AwsError('trouble', reason);
  }
  throw error;
}
