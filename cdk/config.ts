/** Where a deployment's configuration is: in `peal.config.ts`, or in the file of another stage. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import { ConfigError, checkConfig, type Settings, STAGE } from './settings.ts';

const ROOT = join(import.meta.dirname, '..');
const FILE = 'peal.config.ts';

/**
 * Reads the configuration that a synthesis is for. `-c stage=NAME` asks for a stage: `peal.config.NAME.ts` has it, or
 * `peal.config.ts`, which is also what is read without. A file that is of another stage than was asked for is refused,
 * so a forgotten name cannot deploy one stage over another.
 *
 * `config` in the context is a configuration in JSON in the place of the file. The local cloud and the tests give it.
 *
 * @param context the value of a name in CDK's context
 * @param root folder of the files
 * @throws ConfigError
 */
export async function readConfig(
  context: (name: 'config' | 'stage') => unknown,
  root = ROOT,
): Promise<Settings> {
  const stage = askedStage(context('stage'));
  const inline = context('config');
  if (inline !== undefined) return ofStage(checkConfig(parse(inline), 'the context’s config'), stage, 'it');
  const own = `peal.config.${stage}.ts`;
  const file = stage !== undefined && existsSync(join(root, own)) ? own : FILE;
  const settings = checkConfig(await readConfigFile(root, file), file, file === own ? stage : undefined);
  return ofStage(settings, stage, file === own ? own : `there is no ${own}, and ${FILE}`);
}

/** What a configuration file exports, unchecked. @throws ConfigError if there is nothing */
export async function readConfigFile(root = ROOT, file = FILE): Promise<unknown> {
  const path = join(root, file);
  if (!existsSync(path)) throw new ConfigError(file, ['it is missing: it may be `export default {};`']);
  const { default: config } = await import(pathToFileURL(path).href);
  if (config === undefined) throw new ConfigError(file, ['it has no default export']);
  return config;
}

function askedStage(stage: unknown): string | undefined {
  const asked = v.safeParse(v.optional(STAGE), stage);
  if (asked.success) return asked.output;
  throw new ConfigError('the context', [`stage ${asked.issues[0].message}, not ${JSON.stringify(stage)}`]);
}

function ofStage(settings: Settings, stage: string | undefined, subject: string): Settings {
  if (stage === undefined || settings.stage === stage) return settings;
  throw new ConfigError(`-c stage=${stage}`, [`${subject} is of the stage ${settings.stage}`]);
}

/** The context has JSON as it is where it comes from a file, and as text where it comes from the command line. */
function parse(config: unknown): unknown {
  if (typeof config !== 'string') return config;
  try {
    return JSON.parse(config);
  } catch {
    throw new ConfigError('the context’s config', ['it must be JSON']);
  }
}
