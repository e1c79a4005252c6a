/**
 * How stacks name what is in other stacks: never so that one keeps another from changing, and never so that one goes on
 * with a name that is not right any more. docs/decisions/0040-references-that-bind-nobody.md has the reasons.
 */
import { createHash } from 'node:crypto';
import {
  type App,
  CfnElement,
  CfnOutput,
  CfnParameter,
  DefaultTokenResolver,
  Fn,
  type IResolvable,
  type IResolveContext,
  Reference,
  ResolutionTypeHint,
  Stack,
  StringConcat,
  Token,
  Tokenization,
} from 'aws-cdk-lib';
import { CfnParameter as StoredParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct, type IConstruct } from 'constructs';

/** A reference to an attribute of a resource, which may look different in another stack than its own. */
interface Replaceable extends Reference {
  hasValueForStack(stack: Stack): boolean;
  assignValueForStack(stack: Stack, value: IResolvable): void;
}

/**
 * Has every reference from one stack to another go by a parameter of Systems Manager: the stack of the resource writes
 * its name there, and the stack that names it reads it at each of its deployments. CDK's own references, exports and
 * imports, keep CloudFormation from changing or removing what a deployed stack still imports.
 *
 * To be called when all constructs are there: CDK resolves what is added afterwards in its own way.
 *
 * @throws Error for a reference that cannot go so: a list, or something that is no element of a template
 */
export function bindNobody(app: App): void {
  for (const element of app.node.findAll().filter(isElement)) {
    const consumer = Stack.of(element);
    for (const reference of referencesOf(element)) {
      if (reference.hasValueForStack(consumer)) continue;
      const producer = Stack.of(reference.target);
      const from = `${element.node.path} names ${reference.target.node.path}.${reference.displayName}`;
      if (
        !CfnElement.isCfnElement(reference.target) ||
        reference.typeHint === ResolutionTypeHint.STRING_LIST
      ) {
        throw new Error(`${from}, which is no single value of a resource`);
      }
      const value =
        producer.region === consumer.region
          ? stored(reference, reference.target, producer, consumer)
          : told(reference, reference.target, producer);
      reference.assignValueForStack(consumer, value);
      // The order of deployment.
      consumer.addStackDependency(producer, from);
    }
  }
}

/**
 * A value within one region. Whether it is another one than at the last deployment, CloudFormation finds out at each,
 * and CDK skips no stack that reads one, even if its template has not changed.
 *
 * The name in Systems Manager and the ids in both templates follow from each other: a parameter with a new id and an old
 * name could not be made, and CDK keeps to the name that a parameter of the same id was deployed with.
 */
function stored(reference: Reference, target: CfnElement, producer: Stack, consumer: Stack): IResolvable {
  const logicalId: string = producer.resolve(target.logicalId);
  const name = `/${producer.stackName}/${logicalId}/${reference.displayName}`;
  const id = `${logicalId}${reference.displayName.replaceAll(/\W/g, '')}`;
  const scope = childOf(producer, 'Shared');
  if (!scope.node.tryFindChild(id)) {
    const before = scope.node.children.at(-AT_ONCE);
    const parameter = new StoredParameter(scope, id, {
      name,
      type: 'String',
      value: Token.asString(reference),
      description: 'What other stacks of Peal read at their deployments',
    });
    if (before) parameter.node.addDependency(before);
  }
  return new CfnParameter(consumer, `${producer.node.id}${id}`, {
    type: 'AWS::SSM::Parameter::Value<String>',
    default: name,
  }).value;
}

/**
 * A value of another region, where CloudFormation reads no parameters: an output. It is only read when the template that
 * asks for it has changed, so the output is named by all that the resource is made of. Nothing can replace the resource
 * without changing the name.
 */
function told(reference: Reference, target: CfnElement, producer: Stack): IResolvable {
  const made = JSON.stringify(producer.resolve(target._toCloudFormation()));
  if (/"Fn::GetAtt"|"Ref":"(?!AWS::)/.test(made)) {
    throw new Error(`${target.node.path} is read from another region and made of other resources`);
  }
  const digest = createHash('sha256').update(made).digest('hex').slice(0, 12);
  const id = `${producer.resolve(target.logicalId)}${reference.displayName}${digest}`;
  if (!producer.node.tryFindChild(id)) {
    new CfnOutput(producer, id, { value: Token.asString(reference) });
  }
  const value = Tokenization.reverseCompleteString(
    Fn.getStackOutput(producer.stackName, id, producer.region),
  );
  if (!value) throw new Error(`CDK has no token for the output ${id}`);
  return value;
}

/** Parameters of a stack that are written at once: an account may write three a second. */
const AT_ONCE = 3;

const isElement = (construct: IConstruct): construct is CfnElement => CfnElement.isCfnElement(construct);

function childOf(stack: Stack, id: string): IConstruct {
  return stack.node.tryFindChild(id) ?? new Construct(stack, id);
}

/** Remembers which references it meets. */
class Collector extends DefaultTokenResolver {
  readonly found = new Set<Replaceable>();

  constructor() {
    super(new StringConcat());
  }

  override resolveToken(...[token, context, after]: Parameters<DefaultTokenResolver['resolveToken']>) {
    if (isReplaceable(token, context)) this.found.add(token);
    return super.resolveToken(token, context, after);
  }
}

function isReplaceable(token: IResolvable, { scope }: IResolveContext): token is Replaceable {
  return (
    Reference.isReference(token) &&
    'assignValueForStack' in token &&
    Stack.of(token.target) !== Stack.of(scope)
  );
}

/** The references to other stacks in an element of a template. */
function referencesOf(element: CfnElement): Set<Replaceable> {
  const resolver = new Collector();
  Tokenization.resolve(element._toCloudFormation(), { scope: element, resolver, preparing: true });
  return resolver.found;
}
