import { compareText, type Problem } from './catalog.js';

export interface ProblemChanges {
  readonly went: readonly Problem[];
  readonly came: readonly Problem[];
}

/**
 * What differs between two states of the same lists; a problem whose reason changed went and came. A list that is the
 * same object is not looked at. The lists are sorted by key: one of a hundred thousand costs a walk, and no copy.
 */
export function problemChanges(
  before: readonly (readonly Problem[])[],
  after: readonly (readonly Problem[])[],
): ProblemChanges {
  const went: Problem[] = [];
  const came: Problem[] = [];
  for (let at = 0; at < Math.max(before.length, after.length); at += 1) {
    const [old, now] = [before[at] ?? [], after[at] ?? []];
    if (old !== now) compare(old, now, { went, came });
  }
  return { went, came };
}

function compare(
  old: readonly Problem[],
  now: readonly Problem[],
  { went, came }: { went: Problem[]; came: Problem[] },
): void {
  let at = 0;
  for (const problem of now) {
    let other = old[at];
    for (; other !== undefined && compareText(other.key, problem.key) < 0; other = old[at]) {
      went.push(other);
      at += 1;
    }
    if (other?.key === problem.key) {
      at += 1;
      if (other.reason === problem.reason) continue;
      went.push(other);
    }
    came.push(problem);
  }
  for (const other of old.slice(at)) went.push(other);
}
