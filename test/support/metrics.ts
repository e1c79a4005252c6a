import assert from 'node:assert/strict';
import type { LogLine } from '../../local/lambda/protocol.ts';

/** A metric as CloudWatch takes it out of a log line. */
export interface Measured {
  name: string;
  values: number[];
  unit: string;
  dimensions: Record<string, string>;
}

interface Directive {
  Namespace: string;
  Dimensions: string[][];
  Metrics: { Name: string; Unit: string }[];
}

/**
 * The metrics in lines that are in CloudWatch's embedded metric format, checked as CloudWatch does: it says nothing of a
 * line that is not, and takes nothing out of it.
 */
export function measuredIn(lines: readonly LogLine[]): Measured[] {
  return lines.flatMap((line) => {
    if (line._aws === undefined) return [];
    const { Timestamp, CloudWatchMetrics } = line._aws as {
      Timestamp: number;
      CloudWatchMetrics: Directive[];
    };
    assert.ok(Math.abs(Date.now() - Timestamp) < 3_600_000);
    assert.ok((line.bytes ?? 0) < 256 * 1024);
    return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) => {
      assert.equal(Namespace, 'Peal');
      assert.equal(Dimensions.length, 1);
      assert.ok(Metrics.length > 0 && Metrics.length <= 100);
      const dimensions = Object.fromEntries(
        Dimensions[0]!.map((name) => {
          assert.equal(typeof line[name], 'string', name);
          return [name, line[name] as string];
        }),
      );
      return Metrics.map(({ Name: name, Unit: unit }): Measured => {
        const values = [line[name]].flat() as number[];
        assert.ok(values.length <= 100 && values.every(Number.isFinite), name);
        return { name, unit, dimensions, values };
      });
    });
  });
}

/** What some lines measure of one metric, over all its dimensions: the sum of its values. */
export function totalOf(lines: readonly LogLine[], name: string, carrier?: string): number {
  return measuredIn(lines)
    .filter((one) => one.name === name && (carrier === undefined || one.dimensions.Carrier === carrier))
    .flatMap(({ values }) => values)
    .reduce((sum, value) => sum + value, 0);
}
