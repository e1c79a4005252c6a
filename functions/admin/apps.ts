/** Apps of accounts whose owners have lost a token, or must not send any more. */
import { appView } from '../../lib/accounts/app-view.ts';
import { Apps, appIdOf } from '../../lib/accounts/apps.ts';
import { clock, directory, userOf } from './context.ts';

const apps = new Apps(directory, clock);

export const APP_COMMANDS = {
  'list-apps': async ({ email }: { email: string }) => ({
    apps: (await apps.list(await userOf(email))).map(appView),
  }),

  'rotate-app': async ({ email, app }: { email: string; app: string }) => ({
    token: await apps.rotate(await userOf(email), appIdOf(String(app))),
  }),

  'delete-app': async ({ email, app }: { email: string; app: string }) => {
    await apps.remove(await userOf(email), appIdOf(String(app)));
    return { app };
  },
};
