/** As many open files as HAProxy takes (`fd-hard-limit`, in the template that is built in). */
const mostFiles = 200_000;
/** Fewer connections than a page of a browser may open would be no service. */
const leastOfListener = 100;

/** @param limit hard limit of open files, Infinity where there is none; null where it is not known */
export function filesOf(limit: number | null): number {
  return Math.min(limit ?? mostFiles, mostFiles);
}

/**
 * Connections that one listener may have where no setting says so: a tenth of all that HAProxy can have, which takes two files for each,
 * one for each side. Ten listeners that are full at a time are no accident of one service.
 */
export function listenerMaxconnOf(limit: number | null): number {
  return Math.max(leastOfListener, Math.floor(filesOf(limit) / 2 / 10));
}
