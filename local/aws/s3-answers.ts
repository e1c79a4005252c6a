/** S3's XML errors. */
import { randomBytes } from 'node:crypto';
import type { Answer } from './call.ts';

/** An error as S3 words it. */
export function s3Error(status: number, code: string, message: string): Answer {
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>` +
      `<Message>${escapeXml(message)}</Message><RequestId>${requestId}</RequestId></Error>`,
  };
}

function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
