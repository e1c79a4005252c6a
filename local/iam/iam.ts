/** Decides whether a function may do what it asks, and keeps track of the grants that were used. */
import { ACCOUNT, REGION } from '../template/pseudo.ts';
import { type Context, conditionHolds } from './conditions.ts';
import { matchesAction, matchesArn } from './match.ts';
import { isUsedBy, type Part, partsOf } from './parts.ts';
import type { Grant, Role } from './policy.ts';

/** Access key id of the operator and of tests: may do everything and is not counted as a use of any grant. */
export const ROOT = 'local-root';

/** Who calls: a function under its role, or root. */
export interface Caller {
  accessKeyId: string;
  /** The function's name, or `root`: the meter counts under it. */
  name: string;
  /** The assumed-role ARN that AWS names in its answers. */
  arn: string;
}

/** What IAM said. `message` is AWS's own sentence. */
export type Decision = { allowed: true } | { allowed: false; message: string };

/** An action on a resource that the template grants, within some partitions of it if the grant is kept to them. */
export interface GrantUse extends Part {
  role: string;
  /** Stack, logical id and number of the statement. */
  source: string;
  /** How often it was used since the start. */
  times: number;
}

interface Principal {
  caller: Caller;
  role: Role;
}

const ALLOWED: Decision = { allowed: true };

export class Iam {
  readonly #principals = new Map<string, Principal>();
  readonly #roles = new Set<Role>();
  readonly #parts = new Map<Grant, { part: Part; times: number }[]>();

  /** Lets `accessKeyId` act as function `name` under `role`. */
  addFunction(accessKeyId: string, name: string, role: Role): void {
    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${role.name}/${name}`;
    this.#principals.set(accessKeyId, { caller: { accessKeyId, name, arn }, role });
    this.#roles.add(role);
    for (const grant of role.grants) {
      this.#parts.set(
        grant,
        partsOf(grant.statement).map((part) => ({ part, times: 0 })),
      );
    }
  }

  /** The caller behind an access key id; undefined if nobody has it. */
  caller(accessKeyId: string): Caller | undefined {
    if (accessKeyId === ROOT) return { accessKeyId, name: 'root', arn: `arn:aws:iam::${ACCOUNT}:root` };
    return this.#principals.get(accessKeyId)?.caller;
  }

  /**
   * Whether the caller may do `action` on `resource`; a Deny beats every Allow.
   *
   * @param action with its service, for example `dynamodb:PutItem`
   * @param resource ARN, or `*` for actions that take none
   * @param context gives the condition keys of the request (lower case), if a condition asks; the global ones are added
   */
  authorize(accessKeyId: string, action: string, resource: string, context?: () => Context): Decision {
    if (accessKeyId === ROOT) return ALLOWED;
    const principal = this.#principals.get(accessKeyId);
    if (!principal)
      return { allowed: false, message: 'The security token included in the request is invalid.' };
    let full: Context | undefined;
    let allowed = false;
    for (const grant of principal.role.grants) {
      const { statement } = grant;
      if (!statement.Action.some((pattern) => matchesAction(pattern, action))) continue;
      if (!statement.Resource.some((pattern) => matchesArn(pattern, resource))) continue;
      if (statement.Condition) {
        full ??= globalContext(principal, context?.());
        if (!conditionHolds(statement.Condition, full)) continue;
      }
      if (statement.Effect === 'Deny') return denial(principal.caller, action, resource, true);
      this.#note(grant, action, resource, full);
      allowed = true;
    }
    return allowed ? ALLOWED : denial(principal.caller, action, resource, false);
  }

  /** Every part of the grants (AWS's own managed policies aside), with how often it was used since the start. */
  grants(): GrantUse[] {
    return [...this.#roles].flatMap((role) =>
      role.grants
        .filter(({ managed, statement }) => !managed && statement.Effect === 'Allow')
        .flatMap((grant) =>
          this.#parts.get(grant)!.map(({ part, times }) => ({
            role: role.name,
            source: grant.source,
            ...part,
            times,
          })),
        ),
    );
  }

  /** Those that were never used. */
  unusedGrants(): GrantUse[] {
    return this.grants().filter(({ times }) => times === 0);
  }

  #note(grant: Grant, action: string, resource: string, context: Context | undefined): void {
    for (const counted of this.#parts.get(grant)!) {
      if (isUsedBy(counted.part, action, resource, context)) counted.times++;
    }
  }
}

function globalContext({ caller, role }: Principal, context: Context | undefined): Context {
  const full = new Map<string, readonly string[]>(context);
  // The front stands for AWS's TLS endpoints, so a condition on secure transport holds.
  full.set('aws:securetransport', ['true']);
  full.set('aws:requestedregion', [REGION]);
  full.set('aws:principalaccount', [ACCOUNT]);
  full.set('aws:principalarn', [role.arn]);
  full.set('aws:userid', [caller.name]);
  return full;
}

function denial(caller: Caller, action: string, resource: string, explicit: boolean): Decision {
  const because = explicit
    ? 'with an explicit deny in an identity-based policy'
    : `because no identity-based policy allows the ${action} action`;
  return {
    allowed: false,
    message: `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${because}`,
  };
}
