import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { ACCEPTED, type Accepted } from './accepted.ts';

/**
 * cdk-nag's AWS Solutions pack, in every synthesis: what it finds and `ACCEPTED` does not have fails it. An accepted
 * finding is acknowledged at the very resource, by CDK's own means.
 *
 * The names of some findings have parts that CDK only knows late (exports of other stacks), so they are matched here,
 * after synthesis.
 */
export class Nag extends AwsSolutionsChecks {
  /** What was accepted so far: an entry that nothing needs is one too many. */
  readonly used = new Set<Accepted>();

  override validateScope(scope: IConstruct): ReturnType<AwsSolutionsChecks['validateScope']> {
    const found = super.validateScope(scope);
    const resources = new Map(scope.node.findAll().map((construct) => [construct.node.path, construct]));
    let acknowledged = false;
    for (const { ruleName, violatingResources } of found.violations) {
      for (const { constructPath = '' } of violatingResources) {
        const accepted = ACCEPTED.find(({ rule, at }) => rule.test(ruleName) && at.test(constructPath));
        const resource = resources.get(constructPath);
        if (!accepted || !resource) continue;
        Validations.of(resource).acknowledge({ id: ruleName, reason: accepted.reason });
        this.used.add(accepted);
        acknowledged = true;
      }
    }
    return acknowledged ? super.validateScope(scope) : found;
  }
}
