/** What was measured for the pages, and where it is kept: both pages are made of it alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peal } from '../../local/peal.ts';
import { withBurst } from './burst.ts';
import { type Deployment, deploymentOf } from './deployment.ts';
import { measure, measureLogin, SCENARIOS, type ScenarioName } from './scenarios.ts';
import type { Usage } from './usage.ts';

export interface Readings {
  deployment: Deployment;
  /** What one message used, by scenario. */
  messages: Record<ScenarioName, Usage>;
  /** What a login over the socket used, with the sync after it. */
  login: Usage;
}

/** Where they are kept. */
export const READINGS = join(import.meta.dirname, '..', 'readings.json');

/** Measures everything. */
export async function takeReadings(peal: Peal, tell: (name: string) => void): Promise<Readings> {
  const messages = {} as Readings['messages'];
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    tell(name);
    messages[name as ScenarioName] = withBurst(await measure(peal, scenario));
  }
  return { messages, login: await measureLogin(peal), deployment: deploymentOf(peal.cloud) };
}

/** Those of the last measurement. */
export function keptReadings(): Readings {
  return JSON.parse(readFileSync(READINGS, 'utf8')) as Readings;
}
