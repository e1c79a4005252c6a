import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** Questions that are asked of the logs again and again, as Logs Insights has them. docs/operations.md explains them. */
export const QUERIES = {
  'follow a message': [
    'fields @timestamp, @log, Carrier, @message',
    '# The request id that the sender was answered, or a umid from another line.',
    '| filter @message like "REQUEST"',
    '| sort @timestamp asc',
  ],
  'what went wrong': [
    'filter level in ["WARN", "ERROR"]',
    '| stats count(*) as lines, latest(@timestamp) as last by level, message, @log',
    '| sort lines desc',
  ],
  'why carriers refuse': [
    'filter @message like /"refused"|refuses our configuration|given up/',
    '| parse @message /"reasons?":\\[?"(?<why>[^"]*)"/',
    '| stats count(*) as lines, latest(@timestamp) as last by Carrier, why',
    '| sort lines desc',
  ],
} as const;

/** Saves the queries for the log groups of some functions. */
export function saveQueries(scope: Construct, stage: string, logGroupNames: string[]): void {
  for (const [name, lines] of Object.entries(QUERIES)) {
    const id = name.replaceAll(/(?:^| )(\w)/g, (_, letter: string) => letter.toUpperCase());
    new CfnQueryDefinition(scope, `Query${id}`, {
      name: `Peal ${stage}/${name}`,
      queryString: lines.join('\n'),
      logGroupNames,
    });
  }
}
