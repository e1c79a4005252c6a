/** Reads the roles of the template: who may assume them and what they may do. */
import {
  asList,
  asObject,
  asString,
  isObject,
  type Json,
  TemplateError,
  type Where,
} from '../template/json.ts';
import { type Model, type Resource, whereIs } from '../template/model.ts';
import { arn } from '../template/pseudo.ts';
import type { Statement } from '../types.ts';
import { isKnownOperator } from './conditions.ts';

/** A statement and where it comes from. */
export interface Grant {
  statement: Statement;
  /** Stack, logical id and number of the statement, for reports. */
  source: string;
  /** From a managed policy of AWS: left out of the report of unused grants. */
  managed: boolean;
}

/** A role that Lambda may assume. */
export interface Role {
  name: string;
  arn: string;
  grants: Grant[];
}

const BASIC_EXECUTION = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';

/**
 * Reads every role that a function has, with its inline and attached policies.
 *
 * @returns roles by ARN
 * @throws TemplateError for a managed policy, a condition operator or a form of statement that is not known here, and
 *   for a role that Lambda may not assume
 */
export function readRoles(model: Model): Map<string, Role> {
  const roles = new Map<string, Role>();
  const byName = new Map<string, Role>();
  const needed = new Set(model.ofType('AWS::Lambda::Function').map(({ properties }) => properties.Role));
  for (const resource of model.ofType('AWS::IAM::Role')) {
    if (!needed.has(resource.attributes.Arn ?? '')) continue;
    checkAssumable(resource);
    const role: Role = { name: resource.ref, arn: resource.attributes.Arn as string, grants: [] };
    for (const policy of asList(resource.properties.Policies)) {
      const where = whereIs(resource, 'Policies');
      addStatements(role, asObject(policy, where).PolicyDocument, where);
    }
    for (const managed of asList(resource.properties.ManagedPolicyArns)) addManaged(role, managed, resource);
    roles.set(role.arn, role);
    byName.set(role.name, role);
  }
  // CDK moves to a managed policy what does not fit the inline ones of a role (10,240 characters).
  for (const resource of model.ofType('AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy')) {
    const where = whereIs(resource, 'PolicyDocument');
    for (const name of asList(resource.properties.Roles)) {
      const role = byName.get(asString(name, whereIs(resource, 'Roles')));
      if (role) addStatements(role, resource.properties.PolicyDocument, where);
    }
  }
  return roles;
}

function checkAssumable(resource: Resource): void {
  const where = whereIs(resource, 'AssumeRolePolicyDocument');
  const document = asObject(resource.properties.AssumeRolePolicyDocument, where);
  const allowed = asList(document.Statement).some((statement) => {
    if (!isObject(statement) || statement.Effect !== 'Allow' || !isObject(statement.Principal)) return false;
    return (
      asList(statement.Action).includes('sts:AssumeRole') &&
      asList(statement.Principal.Service).includes('lambda.amazonaws.com')
    );
  });
  if (!allowed) throw new TemplateError(where, 'lambda.amazonaws.com may not assume this role');
}

function addManaged(role: Role, managed: Json, resource: Resource): void {
  if (managed !== BASIC_EXECUTION) {
    throw new TemplateError(
      whereIs(resource, 'ManagedPolicyArns'),
      `the managed policy ${String(managed)} is not known here (only AWSLambdaBasicExecutionRole is)`,
    );
  }
  role.grants.push({
    statement: {
      Effect: 'Allow',
      Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: ['*'],
    },
    source: 'AWSLambdaBasicExecutionRole',
    managed: true,
  });
}

function addStatements(role: Role, document: Json | undefined, where: Where): void {
  asList(asObject(document, where).Statement).forEach((value, index) => {
    role.grants.push({
      statement: readStatement(value, where),
      source: `${where.stack}/${where.logicalId}#${index}`,
      managed: false,
    });
  });
}

/** Reads one statement of an identity-based policy. */
export function readStatement(value: Json, where: Where): Statement {
  const source = asObject(value, where);
  for (const key of Object.keys(source)) {
    if (!['Sid', 'Effect', 'Action', 'Resource', 'Condition'].includes(key)) {
      throw new TemplateError(where, `${key} is not known in a statement here`);
    }
  }
  if (source.Effect !== 'Allow' && source.Effect !== 'Deny') {
    throw new TemplateError(where, `a statement's Effect is Allow or Deny, not ${String(source.Effect)}`);
  }
  const statement: Statement = {
    Effect: source.Effect,
    Action: asList(source.Action).map((action) => asString(action, where)),
    Resource: asList(source.Resource).map((resource) => asString(resource, where)),
  };
  if (statement.Action.length === 0 || statement.Resource.length === 0) {
    throw new TemplateError(where, 'a statement needs an Action and a Resource');
  }
  if (source.Condition !== undefined) statement.Condition = readCondition(source.Condition, where);
  return statement;
}

function readCondition(value: Json, where: Where): NonNullable<Statement['Condition']> {
  const condition: NonNullable<Statement['Condition']> = {};
  for (const [operator, keys] of Object.entries(asObject(value, where))) {
    if (!isKnownOperator(operator)) {
      throw new TemplateError(where, `the condition operator ${operator} is not known here`);
    }
    const tests: Record<string, string[]> = {};
    for (const [key, wanted] of Object.entries(asObject(keys, where))) {
      tests[key] = asList(wanted).map((one) => asString(one, where));
    }
    condition[operator] = tests;
  }
  return condition;
}

/** The log stream ARN that a function with this log group writes to. */
export function logStreamArn(logGroup: string): string {
  return arn('logs', `log-group:${logGroup}:log-stream:local`);
}
