import type { RecentChange } from '../core/status-parts.js';
import type { PageProblem } from '../core/page-update.js';
import { byId, element, glow, listIn, setText, type View } from './dom.js';
import type { PageState } from './state.js';
import { numberText } from './words.js';

/** Shows what is not served, and what was done of late. */
export function createAsides(): (state: PageState) => void {
  const problems = byId('problems');
  const showProblems = listIn<PageProblem>(byId('problem-list'), {
    keyOf: ({ kind, key, reason }) => JSON.stringify([kind, key, reason]),
    create: problemView,
  });
  let isFirst = true;
  const showChanges = listIn<RecentChange & { n: string }>(byId('change-list'), {
    keyOf: ({ n }) => n,
    create: (change) => changeView(change, !isFirst),
  });
  const more = byId('problem-more');

  return ({ head, problems: its, changes }) => {
    if (its !== null) {
      const total = Object.values(its.counts).reduce((sum, count) => sum + count, 0);
      showProblems(its.shown);
      problems.hidden = total === 0;
      setText(byId('problem-count'), numberText(total));
      more.hidden = total === its.shown.length;
      setText(more, `and ${numberText(total - its.shown.length)} more; docker-discover ls --json lists them all`);
    }
    showChanges(numbered(changes));
    byId('no-change').hidden = changes.length > 0;
    if (head !== null) isFirst = false;
  };
}

/** Several may have the same time and text; they come in the order in which they were made. */
function numbered(changes: readonly RecentChange[]): (RecentChange & { n: string })[] {
  const times = new Map<string, number>();
  return [...changes]
    .reverse()
    .map((change) => {
      const same = `${change.at} ${change.kind} ${change.what}`;
      const n = (times.get(same) ?? 0) + 1;
      times.set(same, n);
      return { ...change, n: `${same} ${String(n)}` };
    })
    .reverse();
}

function problemView({ kind, key, reason }: PageProblem): View<PageProblem> {
  const node = element(
    'li',
    'problem',
    element('p', '', element('span', 'badge', kind), ' ', element('code', '', key)),
    element('p', 'reason', reason),
  );
  return { node, show: () => undefined };
}

const titles: Readonly<Record<RecentChange['kind'], string>> = {
  start: 'HAProxy started',
  reload: 'Reload',
  change: 'Without a reload',
  run: 'EXEC ran',
};

function changeView({ kind, what, at }: RecentChange, isNew: boolean): View<RecentChange> {
  const age = document.createElement('time');
  age.dateTime = at;
  age.title = at;
  age.dataset['at'] = String(Date.parse(at));
  age.dataset['ago'] = '';
  const node = element(
    'li',
    `change ${kind}`,
    element('i', 'dot'),
    element('p', '', element('b', '', titles[kind]), age),
    element('p', 'reason', what),
  );
  if (isNew) glow(node);
  return { node, show: () => undefined };
}
