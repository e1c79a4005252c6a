import type { PealConfig } from '#config';

/** Every field, with another value than its default. */
export default {
  stage: 'prod-eu',
  region: 'eu-central-1',
  account: '123456789012',
  domains: {
    // Without a zone, the stacks print where the CNAMEs are to point.
    api: {
      name: 'push.example.org',
      // With the firewall, CloudFront stands before the API, and takes certificates from us-east-1 alone.
      certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/5f3c2a10-6a0e-4c58-9b1e-2f7d3a8c4e01',
    },
    socket: {
      name: 'socket.push.example.org',
      certificateArn:
        'arn:aws:acm:eu-central-1:123456789012:certificate/5f3c2a10-6a0e-4c58-9b1e-2f7d3a8c4e02',
    },
    web: {
      name: 'app.push.example.org',
      certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/5f3c2a10-6a0e-4c58-9b1e-2f7d3a8c4e03',
    },
  },
  signUp: 'open',
  registrationsPerHour: 100,
  quota: 10_000,
  burst: 300,
  retention: { messages: 14, attachments: 7, logs: 90 },
  secrets: { fcm: 'peal/fcm', apns: 'peal/apns', webpush: 'peal/webpush' },
  alarms: 'arn:aws:sns:eu-central-1:123456789012:ops',
  ceilings: { fcm: 40, apns: 4, webpush: 20, desktop: 20, fanOut: 20, repeat: 5, callback: 2, slow: 6 },
  throttle: { api: { rate: 1_000, burst: 500 }, socket: { rate: 100, burst: 200 } },
  waf: true,
  tracing: true,
  canary: 5,
} satisfies PealConfig;
