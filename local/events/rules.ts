/** EventBridge's scheduled rules: each invokes its functions at its rate, or when a test says so. */
import { randomUUID } from 'node:crypto';
import type { AsyncInvoker } from '../event-source/async-invoke.ts';
import type { MayInvoke } from '../iam/permissions.ts';
import { asString, isObject, TemplateError } from '../template/json.ts';
import { type Model, type Resource, whereIs } from '../template/model.ts';
import { ACCOUNT, REGION } from '../template/pseudo.ts';
import type { CloudLog, FunctionSpec, InvokeResult, LocalFunction } from '../types.ts';

/** Properties that are heeded or change nothing locally, of a rule and of its targets. */
const PROPERTIES = ['Description', 'Name', 'ScheduleExpression', 'State', 'Tags', 'Targets'];
const TARGET_PROPERTIES = ['Arn', 'Id'];

const MINUTES = { minute: 1, hour: 60, day: 1440 } as const;

/** A rule as the template describes it. */
export interface RuleDescription {
  logicalId: string;
  arn: string;
  enabled: boolean;
  /** Milliseconds between two of its events. */
  interval: number;
  functionArns: string[];
}

/**
 * Reads every `AWS::Events::Rule`.
 *
 * @throws TemplateError for what is not run here: patterns of events, cron expressions, targets that are no functions
 */
export function readRules(model: Model, specs: readonly FunctionSpec[]): RuleDescription[] {
  return model.ofType('AWS::Events::Rule').map((rule) => {
    const { properties } = rule;
    check(rule, properties, PROPERTIES);
    const targets = Array.isArray(properties.Targets) ? properties.Targets : [];
    return {
      logicalId: rule.logicalId,
      arn: rule.attributes.Arn as string,
      enabled: (properties.State ?? 'ENABLED') === 'ENABLED',
      interval: intervalOf(rule),
      functionArns: targets.map((target) => {
        const where = whereIs(rule, 'Targets');
        if (!isObject(target)) throw new TemplateError(where, 'must be a list of objects');
        check(rule, target, TARGET_PROPERTIES);
        const arn = asString(target.Arn, where);
        if (!specs.some((spec) => spec.arn === arn))
          throw new TemplateError(where, `${arn} is no function of the template`);
        return arn;
      }),
    };
  });
}

function check(rule: Resource, properties: object, known: string[]): void {
  for (const name of Object.keys(properties)) {
    if (!known.includes(name)) throw new TemplateError(whereIs(rule, name), 'is not supported here');
  }
}

function intervalOf(rule: Resource): number {
  const where = whereIs(rule, 'ScheduleExpression');
  const expression = asString(rule.properties.ScheduleExpression, where);
  const [, count, unit] = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined) throw new TemplateError(where, `only rates are supported here, not ${expression}`);
  return Number(count) * MINUTES[unit as keyof typeof MINUTES] * 60_000;
}

/** The rules of the template, running. */
export interface Rules {
  /**
   * Sends an event of the rule with this logical id now, whatever its schedule.
   *
   * @returns what each function's first try gave
   */
  trigger(logicalId: string): Promise<InvokeResult[]>;
  close(): void;
}

export interface RulesOptions {
  rules: RuleDescription[];
  functions: ReadonlyMap<string, LocalFunction>;
  invoker: AsyncInvoker;
  mayInvoke: MayInvoke;
  log: CloudLog;
  now(): number;
  /** `off`: only what is triggered runs. */
  schedules: 'off' | 'on';
}

/** Starts the schedules. EventBridge invokes asynchronously: Lambda tries again what fails, as the function says. */
export function startRules({
  rules,
  functions,
  invoker,
  mayInvoke,
  log,
  now,
  schedules,
}: RulesOptions): Rules {
  const fire = async ({ arn, functionArns }: RuleDescription): Promise<InvokeResult[]> => {
    const results = functionArns.map((functionArn) => {
      const target = [...functions.values()].find(({ spec }) => spec.arn === functionArn);
      if (!target || !mayInvoke(functionArn, arn)) {
        const message = `the rule ${arn} has no permission to invoke ${functionArn}: on AWS nothing would happen`;
        log('error', message);
        return { error: { type: 'AccessDenied', message }, duration: 0, requestId: randomUUID() };
      }
      return invoker.invoke(target, eventOf(arn, now()));
    });
    return Promise.all(results);
  };
  const timers =
    schedules === 'off'
      ? []
      : rules
          .filter(({ enabled }) => enabled)
          .map((rule) => setInterval(() => void fire(rule), rule.interval).unref());
  return {
    async trigger(logicalId) {
      const rule = rules.find((one) => one.logicalId === logicalId);
      if (!rule) throw new Error(`there is no rule ${logicalId}`);
      return fire(rule);
    },
    close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** What a scheduled rule sends (EventBridge user guide, "Scheduled events"). */
function eventOf(ruleArn: string, now: number) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: ACCOUNT,
    time: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    region: REGION,
    resources: [ruleArn],
    detail: {},
  };
}
