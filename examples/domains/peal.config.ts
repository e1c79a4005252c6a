import type { PealConfig } from '#config';

/** A team with addresses of its own, whose zone is in the same account. Members join by invitation. */
export default {
  region: 'eu-central-1',
  account: '123456789012',
  signUp: 'invitation',
  domains: {
    api: {
      name: 'push.example.org',
      certificateArn:
        'arn:aws:acm:eu-central-1:123456789012:certificate/5f3c2a10-6a0e-4c58-9b1e-2f7d3a8c4e01',
      hostedZoneId: 'Z0123456789ABCDEFGHIJ',
    },
    socket: {
      name: 'socket.push.example.org',
      certificateArn:
        'arn:aws:acm:eu-central-1:123456789012:certificate/5f3c2a10-6a0e-4c58-9b1e-2f7d3a8c4e02',
      hostedZoneId: 'Z0123456789ABCDEFGHIJ',
    },
    web: {
      name: 'app.push.example.org',
      // CloudFront takes certificates from us-east-1 alone.
      certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/5f3c2a10-6a0e-4c58-9b1e-2f7d3a8c4e03',
      hostedZoneId: 'Z0123456789ABCDEFGHIJ',
    },
  },
  alarms: 'ops@example.org',
} satisfies PealConfig;
