/** What `cdk/` makes, with something taken out: the local cloud must miss it as AWS would. */
import { EventEmitter, on } from 'node:events';
import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { currentAssembly } from '../../local/assembly.ts';
import { type Peal, startPeal } from '../../local/peal.ts';
import { asList, isObject, type JsonObject } from '../../local/template/json.ts';
import type { LogLine } from '../support/peal.ts';
import { type Cleanup, temporaryDir } from './assemblies.ts';

export type StackName = 'PealApi' | 'PealData' | 'PealDispatch' | 'PealWeb';

/** Takes something out of a template. */
export type Gap = (resources: Record<string, JsonObject>) => void;

/** A Peal with a gap. */
export interface GappedPeal extends Peal {
  /** The first line of the log that matches, also one that is still to come within 20 seconds. */
  line(pattern: RegExp): Promise<LogLine>;
}

/** Milliseconds. */
const PATIENCE = 20_000;

/** The current assembly with gaps in one of its stacks, removed after the test. */
export async function assemblyWithout(t: Cleanup, stack: StackName, ...gaps: Gap[]): Promise<string> {
  const dir = temporaryDir(t);
  const whole = await currentAssembly();
  for (const name of await readdir(whole)) await symlink(join(whole, name), join(dir, name));
  const file = join(dir, `${stack}.template.json`);
  const template = JSON.parse(await readFile(file, 'utf8'));
  for (const gap of gaps) gap(template.Resources);
  // In the place of the link, not through it.
  await rm(file);
  await writeFile(file, JSON.stringify(template));
  return dir;
}

/** A Peal on that assembly, closed after the test. */
export async function pealWithout(t: Cleanup, stack: StackName, ...gaps: Gap[]): Promise<GappedPeal> {
  const assembly = await assemblyWithout(t, stack, ...gaps);
  const lines: LogLine[] = [];
  const events = new EventEmitter<{ line: [LogLine] }>();
  const peal = await startPeal({
    assembly,
    sweepInterval: 0,
    log(level, message, fields) {
      const line = { level, message, fields };
      lines.push(line);
      events.emit('line', line);
    },
  });
  t.after(() => peal.close());
  return {
    ...peal,
    async line(pattern) {
      const matches = ({ message }: LogLine) => pattern.test(message);
      const known = lines.find(matches);
      if (known) return known;
      try {
        const next = on(events, 'line', { signal: AbortSignal.timeout(PATIENCE) });
        for await (const [line] of next) if (matches(line)) return line;
      } catch (cause) {
        const seen = lines.map(({ level, message }) => `${level}: ${message}`).join('\n');
        throw new Error(`nothing like ${pattern} among:\n${seen}`, { cause });
      }
      throw new Error('the log has ended');
    },
  };
}

/** Takes one action away from the policy of a role: from the statements whose resources mention `resource`. */
export function withoutGrant(role: string, action: string, resource: string): Gap {
  return (resources) => {
    const policy = find(resources, 'AWS::IAM::Policy', (_, id) => id.startsWith(`${role}DefaultPolicy`));
    const document = (policy.Properties as JsonObject).PolicyDocument as JsonObject;
    let taken = 0;
    document.Statement = asList(document.Statement).flatMap((statement) => {
      if (!isObject(statement) || !JSON.stringify(statement.Resource).includes(resource)) return [statement];
      const actions = asList(statement.Action);
      const rest = actions.filter((one) => one !== action);
      taken += actions.length - rest.length;
      return rest.length > 0 ? [{ ...statement, Action: rest }] : [];
    });
    if (taken !== 1) throw new Error(`${role} has ${taken} grants of ${action} on ${resource}`);
  };
}

/** Takes a route away. */
export function withoutRoute(routeKey: string): Gap {
  return (resources) =>
    remove(resources, 'AWS::ApiGatewayV2::Route', ({ RouteKey }) => RouteKey === routeKey);
}

/** Takes away what lets an API call a function on these paths. */
export function withoutPermission(path: string, functionId: string): Gap {
  return (resources) =>
    remove(
      resources,
      'AWS::Lambda::Permission',
      ({ SourceArn, FunctionName }) =>
        JSON.stringify(SourceArn).includes(`${path}"`) && JSON.stringify(FunctionName).includes(functionId),
    );
}

/** Takes away what tells other stacks the name of a resource. */
export function withoutShared(resource: string): Gap {
  return (resources) =>
    remove(resources, 'AWS::SSM::Parameter', ({ Name }) =>
      new RegExp(`/${resource}[0-9A-F]{8}/Ref$`).test(String(Name)),
    );
}

/** Takes away a variable of a function's environment. */
export function withoutVariable(functionId: string, name: string): Gap {
  return (resources) => {
    const found = find(resources, 'AWS::Lambda::Function', (_, id) => id.startsWith(functionId));
    const { Variables } = (found.Properties as JsonObject).Environment as { Variables: JsonObject };
    if (!(name in Variables)) throw new Error(`${functionId} has no variable ${name}`);
    delete Variables[name];
  };
}

type Matches = (properties: JsonObject, id: string) => boolean;

function entry(resources: Record<string, JsonObject>, type: string, matches: Matches): [string, JsonObject] {
  const found = Object.entries(resources).filter(
    ([id, resource]) => resource.Type === type && matches(resource.Properties as JsonObject, id),
  );
  const [first] = found;
  if (!first || found.length > 1) throw new Error(`${found.length} resources of ${type} fit: ${matches}`);
  return first;
}

function find(resources: Record<string, JsonObject>, type: string, matches: Matches): JsonObject {
  return entry(resources, type, matches)[1];
}

function remove(resources: Record<string, JsonObject>, type: string, matches: Matches): void {
  delete resources[entry(resources, type, matches)[0]];
}
