/** What was seen of one figure, from the start to the end. */
export interface Series {
  readonly name: string;
  readonly unit: Unit;
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

export type Unit = 'MiB' | 'files' | 'threads' | 'processes';

/**
 * By how much a figure may rise per hour. What leaks with each change shows far more in a soak, which has a change every second. A
 * smaller rise than this can not be told from the noise of half an hour.
 */
export const mostPerHour: Readonly<Record<Unit, number>> = { MiB: 15, files: 8, threads: 2, processes: 2 };

export interface Trend {
  readonly name: string;
  readonly unit: Unit;
  readonly first: number;
  readonly last: number;
  readonly most: number;
  readonly perHour: number;
  readonly rises: boolean;
}

/**
 * How a figure goes on after the first third, which is for warming up: the lesser slope of the second third and of the last one,
 * each a straight line by least squares. A leak goes on in both; a step, such as Node makes when it moves its heap, is in one.
 */
export function trendOf({ name, unit, points }: Series): Trend {
  const startMs = points[0]?.atMs ?? 0;
  const thirdMs = ((points.at(-1)?.atMs ?? 0) - startMs) / 3;
  const late = points.filter(({ atMs }) => atMs >= startMs + thirdMs);
  const halves = [
    late.filter(({ atMs }) => atMs < startMs + 2 * thirdMs),
    late.filter(({ atMs }) => atMs >= startMs + 2 * thirdMs),
  ];
  const perHour = Math.min(...halves.map(slopeOf)) * 3_600_000;
  return {
    name,
    unit,
    first: late[0]?.value ?? 0,
    last: late.at(-1)?.value ?? 0,
    most: Math.max(...points.map(({ value }) => value)),
    perHour,
    rises: perHour > mostPerHour[unit],
  };
}

/** Per ms. */
function slopeOf(points: Series['points']): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const atMs = mean(points.map((point) => point.atMs));
  const value = mean(points.map((point) => point.value));
  const across = points.reduce((sum, point) => sum + (point.atMs - atMs) * (point.value - value), 0);
  const along = points.reduce((sum, point) => sum + (point.atMs - atMs) ** 2, 0);
  return along === 0 ? 0 : across / along;
}
