/** Resource-based permissions of functions: who outside may invoke them. */
import { asString } from '../template/json.ts';
import { type Model, whereIs } from '../template/model.ts';
import { arn } from '../template/pseudo.ts';
import { matchesAction, matchesArn } from './match.ts';

interface Permission {
  functionArn: string;
  action: string;
  sourceArn: string | undefined;
}

/** Answers whether something outside may invoke a function. */
export type MayInvoke = (functionArn: string, sourceArn: string) => boolean;

/**
 * Reads every `AWS::Lambda::Permission` for a service.
 *
 * @returns a check that is true if a permission with that principal names the function and a `SourceArn` that matches (a permission without SourceArn matches every source, as in AWS)
 */
export function readPermissions(
  model: Model,
  principal: 'apigateway.amazonaws.com' | 'events.amazonaws.com',
): MayInvoke {
  const permissions: Permission[] = [];
  for (const resource of model.ofType('AWS::Lambda::Permission')) {
    const { properties } = resource;
    if (properties.Principal !== principal) continue;
    const name = asString(properties.FunctionName, whereIs(resource, 'FunctionName'));
    permissions.push({
      functionArn: name.startsWith('arn:') ? name : arn('lambda', `function:${name}`),
      action: asString(properties.Action, whereIs(resource, 'Action')),
      sourceArn:
        properties.SourceArn === undefined
          ? undefined
          : asString(properties.SourceArn, whereIs(resource, 'SourceArn')),
    });
  }
  return (functionArn, sourceArn) =>
    permissions.some(
      (permission) =>
        permission.functionArn === functionArn &&
        matchesAction(permission.action, 'lambda:InvokeFunction') &&
        (permission.sourceArn === undefined || matchesArn(permission.sourceArn, sourceArn)),
    );
}
