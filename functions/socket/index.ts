/** The desktop socket: what a client says over it, and the one character that it is answered. */
import type { APIGatewayProxyResultV2, APIGatewayProxyWebsocketEventV2 } from 'aws-lambda';
import { Connections } from '../../lib/carriers/desktop/connections.ts';
import { type LoginContext, socketFrame } from '../../lib/carriers/desktop/login.ts';
import { post } from '../../lib/carriers/desktop/signal.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { socketClient, table } from '../environment.ts';
import { createJournal } from '../journal.ts';
import { seen } from '../seen.ts';

const directory = table('DIRECTORY_TABLE');
const client = socketClient();
const journal = createJournal();
const context: LoginContext = {
  directory,
  connections: new Connections(directory, Date.now),
  mailbox: new Mailbox(table('MAILBOX_TABLE'), Date.now),
  seen: (user, device) => seen(directory, user, device),
  post: (connection, signal) => post(client, connection, signal, 2_000),
  count: journal.count,
};

/** The answer's body goes back over the socket as the route's response; without a body nothing is said. */
export const handler = journal.wrap(
  async (event: APIGatewayProxyWebsocketEventV2): Promise<APIGatewayProxyResultV2> => {
    const signal = await socketFrame(event.body ?? '', event.requestContext.connectionId, context);
    return signal === undefined ? { statusCode: 200 } : { statusCode: 200, body: signal };
  },
);
