/** What `cdk deploy --all` deploys: what `peal.config.ts` says, or with `-c stage=NAME` that of another stage. */
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundles.ts';
import { readConfig } from './config.ts';
import { addPeal } from './peal.ts';
import { ConfigError } from './settings.ts';
import { webSite } from './web-site.ts';

const app = new App();
try {
  const settings = await readConfig((name) => app.node.tryGetContext(name));
  addPeal(app, settings, { bundles: await bundleFunctions(), site: await webSite() });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  // Whoever edits the configuration needs to see what is wrong in it, and not where that was found out.
  console.error(error.message);
  process.exitCode = 1;
}
