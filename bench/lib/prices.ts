/**
 * What AWS asks for, at list price: us-east-1, on demand, the first tier, without the free tier, as the pricing pages
 * (aws.amazon.com/{api-gateway,lambda,dynamodb,sqs,s3,secrets-manager,cloudwatch,waf}/pricing; for data transfer
 * ec2/pricing/on-demand) had it in November 2026.
 */

/** A thing that is billed, and the counter of the local cloud's meter that counts it. */
export interface Price {
  item: string;
  /** Name of the counter in the meter. */
  counter: string;
  /** Dollars for a million of `unit`. */
  perMillion: number;
  /** What one is. */
  unit: string;
  /** How many of the counter make one; default 1. */
  divisor?: number;
}

/** The counter of Lambda's duration, in GB × ms. */
export const DURATION = 'lambda.gbms';
/** Bytes of log lines; not the meter's: counted from the lines that functions wrote. */
export const LOG_BYTES = 'logs.bytes';
/** Bytes that leave AWS: bodies of answers and of pushes. Not the meter's either: counted where they arrive. */
export const TRANSFER_BYTES = 'transfer.bytes';

export const PRICES: readonly Price[] = [
  {
    item: 'HTTP API requests',
    counter: 'http.requests',
    perMillion: 1,
    unit: 'request, each started 512 KB',
  },
  {
    item: 'WebSocket messages',
    counter: 'websocket.messages',
    perMillion: 1,
    unit: 'message, each started 32 KB',
  },
  { item: 'Lambda requests', counter: 'lambda.requests', perMillion: 0.2, unit: 'invocation' },
  {
    item: 'Lambda GB-s',
    counter: DURATION,
    perMillion: 13.3334,
    unit: 'GB-second, arm64',
    divisor: 1000,
  },
  { item: 'DynamoDB write units', counter: 'dynamodb.wru', perMillion: 0.625, unit: 'started KB written' },
  {
    item: 'DynamoDB read units',
    counter: 'dynamodb.rru',
    perMillion: 0.125,
    unit: 'started 4 KB read, half of it eventually consistent',
  },
  { item: 'SQS requests', counter: 'sqs.requests', perMillion: 0.4, unit: 'request, each started 64 KB' },
  { item: 'S3 puts', counter: 's3.put', perMillion: 5, unit: 'PUT, POST or LIST' },
  { item: 'S3 gets', counter: 's3.get', perMillion: 0.4, unit: 'GET or HEAD' },
  { item: 'Secrets Manager calls', counter: 'secretsmanager.calls', perMillion: 5, unit: 'call' },
  {
    item: 'CloudWatch Logs KB',
    counter: LOG_BYTES,
    perMillion: 0.5,
    unit: 'KB of the lines that functions write',
    divisor: 1000,
  },
  {
    item: 'Data transfer out KB',
    counter: TRANSFER_BYTES,
    perMillion: 0.09,
    unit: 'KB to the internet: answers and pushes',
    divisor: 1000,
  },
];

/** Dollars for a connection over the WebSocket API, a million minutes. */
export const PER_MILLION_CONNECTION_MINUTES = 0.25;
/** Dollars a month for a secret. */
export const SECRET_MONTH = 0.4;
/** Dollars a month for each metric that an alarm of standard resolution looks at. */
export const ALARM_MONTH = 0.1;
/** Dollars a month for a dashboard. */
export const DASHBOARD_MONTH = 3;
/** Dollars a month for a metric of our own, of the first 10,000. */
export const METRIC_MONTH = 0.3;
/** Dollars a month for a web application firewall (a web ACL), for a rule of it, and for a million requests through it. */
export const FIREWALL = { month: 5, rule: 1, perMillion: 0.6 };

/** Dollars a month for a GB that is kept. */
export const STORAGE = { dynamodb: 0.25, backup: 0.2, logs: 0.03, s3: 0.023 };

/** Seconds of a month as AWS counts it: 730 hours. */
export const MONTH = 730 * 3600;

/** Dollars for an amount of the meter's own unit. */
export function dollars({ perMillion, divisor = 1 }: Price, amount: number): number {
  return (amount / divisor / 1e6) * perMillion;
}

/** The price of a counter. @throws Error for one that has none */
export function priceOf(counter: string): Price {
  const price = PRICES.find((one) => one.counter === counter);
  if (!price) throw new Error(`${counter} has no price`);
  return price;
}
