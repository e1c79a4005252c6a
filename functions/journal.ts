import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Log } from '../lib/log.ts';
import { type Count, METRICS, type MetricName } from '../lib/metrics.ts';
import { variable } from './environment.ts';
import { type Line, lineOf, writeLine } from './log.ts';

/** What a function says and measures of its invocations. */
export interface Journal {
  log: Log;
  count: Count;
  /** The same handler, with a journal of each of its invocations. */
  wrap<Event, Answer>(handler: (event: Event) => Promise<Answer>): (event: Event) => Promise<Answer>;
}

/** Lines that one line may stand for: together they stay far below the 256 KB of a log event. */
const MOST_LINES = 100;

/**
 * A journal. CloudWatch takes metrics out of log lines that are in its embedded metric format, so that measuring costs
 * no call and waits for nothing; but a line is paid by its bytes, and a line a message must not outweigh the database.
 * So an invocation writes at most one line with metrics, and that is the line which it would write anyway: what it says
 * at `info` is kept until its end and goes into that line, flat if it is one thing, as `lines` if there are several.
 * Warnings and errors are written at once: what dies keeps them, and loses the rest.
 *
 * A metric that was not measured is not in the line: CloudWatch charges for each that it sees in an hour.
 *
 * @param carrier a dimension of its metrics, besides the stage
 */
export function createJournal(carrier?: string): Journal {
  const metrics = new Metrics({ namespace: 'Peal' });
  // Powertools adds a dimension `service`; each combination of dimensions is a metric of its own, and its price.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({
    Stage: variable('STAGE'),
    ...(carrier !== undefined && { Carrier: carrier }),
  });
  let kept: Line[] | undefined;
  let measured = new Map<MetricName, number[]>();

  function close(lines: Line[]): void {
    if (measured.size === 0) {
      for (const line of lines) writeLine(line);
      return;
    }
    for (const [name, values] of measured) {
      for (const value of values) metrics.addMetric(name, METRICS[name], value);
    }
    writeLine({ ...metrics.serializeMetrics(), ...together(lines) });
    metrics.clearMetrics();
    measured = new Map();
  }

  return {
    log(level, message, fields) {
      const line = lineOf(level, message, fields);
      if (level === 'info' && kept && kept.length < MOST_LINES) kept.push(line);
      else writeLine(line);
    },
    count(name, value) {
      const before = measured.get(name) ?? [];
      const isSum = METRICS[name] === 'Count';
      measured.set(name, isSum ? [(before[0] ?? 0) + value] : [...before, value]);
    },
    wrap: (handler) => async (event) => {
      kept = [];
      try {
        return await handler(event);
      } finally {
        const lines = kept;
        kept = undefined;
        close(lines);
      }
    },
  };
}

/** What one line says that stands for several. */
function together(lines: Line[]): Line {
  const [only] = lines;
  if (lines.length <= 1) return only ?? {};
  return {
    level: 'INFO',
    message: `${lines.length} lines`,
    lines: lines.map(({ level: _, ...line }) => line),
  };
}
