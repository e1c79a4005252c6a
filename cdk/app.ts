/** What `cdk deploy --all` deploys. Sign-up is closed unless the context says otherwise (`-c signUp=invitation`). */
import { App, Tags } from 'aws-cdk-lib';
import { signUpMode } from '../lib/accounts/sign-up-mode.ts';
import { THROTTLES } from '../lib/accounts/throttles.ts';
import { ApiStack } from './api-stack.ts';
import { bundleFunctions } from './bundles.ts';
import { ceilings } from './ceilings.ts';
import { DataStack } from './data-stack.ts';
import { DispatchStack } from './dispatch-stack.ts';
import { sendingLimits } from './sending-limits.ts';
import { webSite } from './web-site.ts';
import { WebStack } from './web-stack.ts';

const app = new App();
const signUp = signUpMode(app.node.tryGetContext('signUp') ?? 'closed');
const limits = ceilings(app.node.tryGetContext('ceilings'));
const sending = sendingLimits((name) => app.node.tryGetContext(name));
const registrationsPerHour = perHour(app.node.tryGetContext('registrationsPerHour'));
const bundles = bundleFunctions();

const data = new DataStack(app, 'PealData', {
  description: 'Peal: what holds data',
  directoryTable: app.node.tryGetContext('directoryTable'),
});
const dispatch = new DispatchStack(app, 'PealDispatch', {
  description: 'Peal: carriers and sockets',
  data,
  bundles,
  ceilings: limits,
});
const api = new ApiStack(app, 'PealApi', {
  description: 'Peal: the REST API',
  data,
  dispatch,
  bundles,
  signUp,
  registrationsPerHour,
  sending,
});
new WebStack(app, 'PealWeb', {
  description: 'Peal: the browser client',
  data,
  dispatch,
  api,
  site: await webSite(),
});
Tags.of(app).add('app', 'peal');

/** Most sign-ups from one address within an hour. @throws Error that says what is allowed */
function perHour(given: unknown = THROTTLES.signUpAddress.most): number {
  const number = Number(given);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`registrationsPerHour must be a positive integer, not ${JSON.stringify(given)}`);
}
