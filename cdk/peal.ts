import type { App } from 'aws-cdk-lib';
import { ApiStack } from './api-stack.ts';
import type { Bundles } from './bundles.ts';
import { DataStack } from './data-stack.ts';
import { DispatchStack } from './dispatch-stack.ts';
import type { Settings } from './settings.ts';
import { WebStack } from './web-stack.ts';

/** What is built before it is deployed. The same for every configuration. */
export interface Built {
  bundles: Bundles;
  /** Folder of the browser client. */
  site: string;
}

/** Adds the stacks of one stage. */
export function addPeal(app: App, settings: Settings, { bundles, site }: Built): void {
  const data = new DataStack(app, 'PealData', { description: 'Peal: what holds data', settings });
  const dispatch = new DispatchStack(app, 'PealDispatch', {
    description: 'Peal: carriers and sockets',
    settings,
    data,
    bundles,
  });
  const api = new ApiStack(app, 'PealApi', {
    description: 'Peal: the REST API',
    settings,
    data,
    dispatch,
    bundles,
  });
  new WebStack(app, 'PealWeb', {
    description: 'Peal: the browser client',
    settings,
    data,
    dispatch,
    api,
    site,
  });
}
