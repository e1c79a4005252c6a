/**
 * Runs the CDK app with one environment after another, in one process: CDK takes longer to load than to synthesize. Each
 * run's assembly is written when the process ends.
 *
 * Reads a list of environments from stdin, as JSON.
 */
import { text } from 'node:stream/consumers';

const runs = JSON.parse(await text(process.stdin)) as Record<string, string>[];
for (const [n, environment] of runs.entries()) {
  Object.assign(process.env, environment);
  // The query makes it another module, which is run anew; what it imports is there already.
  await import(`../cdk/app.ts?run=${n}`);
}
