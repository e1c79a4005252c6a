/** Attachments: an upload ahead of its message, and how a device gets the image and says that it has it. */
import { authorize } from '../../lib/accounts/app-token.ts';
import { findSession, sessionDevice } from '../../lib/accounts/sessions.ts';
import { Attachments } from '../../lib/attachments/attachments.ts';
import { Fetching, messageId } from '../../lib/attachments/fetching.ts';
import { presignedGet, presignedPost } from '../../lib/attachments/presigned.ts';
import { S3Bucket, s3Client } from '../../lib/attachments/s3.ts';
import { FORM_SECONDS, newUploadId, uploadKey } from '../../lib/attachments/uploads.ts';
import { success } from '../../lib/http/answer.ts';
import { Mailbox } from '../../lib/mailbox/mailbox.ts';
import { MAX_IMAGE_BYTES } from '../../lib/protocol/images.ts';
import { type EndpointRequest, on } from '../endpoint.ts';
import { table, variable } from '../environment.ts';
import { HttpApp, secretOf, serve } from '../http.ts';
import * as endpoints from './endpoints.ts';

const clock = Date.now;
const directory = table('DIRECTORY_TABLE');
const messages = table('MAILBOX_TABLE');
const name = variable('ATTACHMENTS_BUCKET');
const client = s3Client();
const bucket = async () => new S3Bucket(client, name);

const fetching = new Fetching({
  mailbox: new Mailbox(messages, clock),
  attachments: new Attachments(messages, bucket, clock),
  bucket,
  presign: (key, seconds) => presignedGet(client, name, key, seconds),
  clock,
});

const app = new HttpApp();

on(app, endpoints.upload, async ({ params }) => {
  const { app: sender } = await authorize(directory, params.get('token'));
  const id = newUploadId();
  const expires = Math.floor(clock() / 1000) + FORM_SECONDS;
  const limits = { seconds: FORM_SECONDS, maxBytes: MAX_IMAGE_BYTES };
  const upload = await presignedPost(client, name, uploadKey(sender, id), limits);
  return success({ id, upload, expires, max_size: MAX_IMAGE_BYTES });
});

on(app, endpoints.fetch, async (request) => {
  const device = await deviceOf(request);
  return success(await fetching.locate(device, messageId(request.segment('id'))));
});

on(app, endpoints.downloaded, async (request) => {
  const device = await deviceOf(request);
  await fetching.report(device, messageId(request.segment('id')));
  return success();
});

/** The session's device that asks. @throws Refusal naming `secret` or `device_id` */
async function deviceOf({ http, params }: EndpointRequest<typeof endpoints.fetch.params>): Promise<string> {
  const session = await findSession(directory, secretOf(http, params));
  return sessionDevice(session, params.get('device_id')).id;
}

export const handler = serve(app);
