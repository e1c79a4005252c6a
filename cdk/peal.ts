import { type App, Validations } from 'aws-cdk-lib';
import { ApiStack } from './api-stack.ts';
import type { Bundles } from './bundles.ts';
import { DataStack } from './data-stack.ts';
import { DispatchStack } from './dispatch-stack.ts';
import { FIREWALL_REGION, FirewallStack } from './firewall-stack.ts';
import { Nag } from './nag.ts';
import { OperationsStack } from './operations-stack.ts';
import { bindNobody } from './references.ts';
import type { Settings } from './settings.ts';
import { WebStack } from './web-stack.ts';

/** What is built before it is deployed. The same for every configuration. */
export interface Built {
  bundles: Bundles;
  /** Folder of the browser client. */
  site: string;
}

/** Adds the stacks of one stage, and the checks without which they are not synthesized. */
export function addPeal(app: App, settings: Settings, built: Built): void {
  Validations.of(app).addPlugins(new Nag(app));
  addStacks(app, settings, built);
}

/** The stacks alone. */
export function addStacks(app: App, settings: Settings, { bundles, site }: Built): void {
  const data = new DataStack(app, 'PealData', { description: 'Peal: what holds data', settings });
  const dispatch = new DispatchStack(app, 'PealDispatch', {
    description: 'Peal: carriers and sockets',
    settings,
    data,
    bundles,
  });
  // What guards CloudFront is in a region of its own.
  const webAclArn = settings.waf
    ? new FirewallStack(app, 'PealFirewall', {
        description: 'Peal: the firewall',
        settings,
        env: { region: FIREWALL_REGION, ...(settings.account && { account: settings.account }) },
      }).webAclArn
    : undefined;
  const api = new ApiStack(app, 'PealApi', {
    description: 'Peal: the REST API',
    settings,
    data,
    dispatch,
    bundles,
    webAclArn,
  });
  new WebStack(app, 'PealWeb', {
    description: 'Peal: the browser client',
    settings,
    data,
    dispatch,
    api,
    site,
    webAclArn,
  });
  new OperationsStack(app, 'PealOperations', {
    description: 'Peal: alarms, dashboard, canary',
    settings,
    data,
    dispatch,
    api,
    bundles,
  });
  bindNobody(app);
}
