/** Synthesizes every configuration in `examples/`, into folders of `cdk.out/examples/`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { examples } from '../cdk/examples.ts';
import { synthesizer } from '../cdk/synthesis.ts';

const OUT = join(import.meta.dirname, '..', 'cdk.out', 'examples');

const synthesize = await synthesizer();
rmSync(OUT, { recursive: true, force: true });
for (const { name, settings } of await examples()) {
  synthesize(settings, join(OUT, name));
  console.log(`examples/${name}: synthesized as the stage ${settings.stage}`);
}
