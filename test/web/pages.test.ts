/** The pages beside the messages. In a file of their own, so that they run beside the tests of `web.test.ts`. */
import { addresses } from './addresses.ts';
import { groupsAndDevices } from './groups.ts';
import { history } from './history.ts';
import { managing } from './managing.ts';
import { describeWeb } from './use-web.ts';

describeWeb('the pages of the web app', (web) => {
  managing(web);
  groupsAndDevices(web);
  addresses(web);
  history(web);
});
