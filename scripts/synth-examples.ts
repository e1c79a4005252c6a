/** Synthesizes every configuration in `examples/`, into folders of `cdk.out/examples/`: without a warning. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { examples } from '../cdk/examples.ts';
import { synthesizer } from '../cdk/synthesis.ts';

const OUT = join(import.meta.dirname, '..', 'cdk.out', 'examples');

const synthesize = await synthesizer();
rmSync(OUT, { recursive: true, force: true });
for (const { name, settings } of await examples()) {
  const out = join(OUT, name);
  synthesize(settings, out);
  // Errors fail the synthesis. Warnings are only printed, and noted here.
  const { pluginReports } = JSON.parse(readFileSync(join(out, 'validation-report.json'), 'utf8'));
  if (pluginReports.length > 0) throw new Error(`examples/${name}: synthesized with the warnings above`);
  console.log(`examples/${name}: synthesized as the stage ${settings.stage}`);
}
