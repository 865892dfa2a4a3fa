import type { PageHead } from '../core/page-update.js';
import { byId, element, setClass, setText } from './dom.js';
import type { PageState } from './state.js';
import { numberText, plural, type Tone } from './words.js';

/** How many endpoints are how; what went is in none. */
export interface Counts {
  readonly all: number;
  readonly up: number;
  readonly down: number;
  readonly stale: number;
}

export function countsOf({ listeners }: PageState): Counts {
  const there = [...listeners.values()].flatMap(({ endpoints }) =>
    endpoints.filter(({ goneAtMs }) => goneAtMs === null),
  );
  const of = (kind: 'up' | 'down'): number => there.filter(({ state }) => state.kind === kind).length;
  return {
    all: there.length,
    up: of('up'),
    down: of('down'),
    stale: there.filter(({ stale }) => stale).length,
  };
}

/** Shows the strip at the top. */
export function createTiles(): (state: PageState, counts: Counts) => void {
  const [up, down, stale, problems] = [
    tileIn('tile-up'),
    tileIn('tile-down'),
    tileIn('tile-stale'),
    tileIn('tile-problems'),
  ];
  const [etcd, haproxy, reloads, changes] = [
    tileIn('tile-etcd'),
    tileIn('tile-haproxy'),
    tileIn('tile-reloads'),
    tileIn('tile-changes'),
  ];
  return (state, counts) => {
    const { head } = state;
    if (head === null) return;
    const { output } = head;
    const notServed = Object.values(state.problems?.counts ?? {}).reduce((sum, count) => sum + count, 0);
    if (output === null) {
      up({
        value: numberText(counts.up),
        label: 'up',
        note: `of ${plural(counts.all, 'endpoint', 'endpoints')}`,
        tone: counts.up > 0 ? 'good' : 'off',
      });
      down({
        value: numberText(counts.down),
        label: 'down',
        note: 'by checks',
        tone: counts.down > 0 ? 'bad' : 'off',
      });
    } else {
      up({
        value: numberText(counts.all),
        label: counts.all === 1 ? 'endpoint' : 'endpoints',
        note: 'registered',
        tone: 'info',
      });
      down({ value: '–', label: 'down', note: 'the other proxy knows', tone: 'off' });
    }
    stale({
      value: numberText(counts.stale),
      label: 'stale',
      note: 'lease expired',
      tone: counts.stale > 0 ? 'warn' : 'off',
    });
    problems({
      value: numberText(notServed),
      label: 'not served',
      note: kindsOf(state),
      tone: notServed > 0 ? 'bad' : 'off',
    });
    const isLive = head.catalog === 'live';
    etcd({
      value: isLive ? 'live' : 'away',
      label: '',
      note: isLive
        ? `etcd revision ${numberText(head.revision)}`
        : `etcd: ${head.catalog === 'none' ? 'not yet heard' : head.catalog}`,
      tone: isLive ? 'good' : head.catalog === 'none' ? 'bad' : 'warn',
    });
    haproxy(handsOf(head));
    if (output === null) {
      const { reloads: count, lastReload, runtimeChanges } = head.haproxy;
      reloads({
        value: numberText(count),
        label: count === 1 ? 'reload' : 'reloads',
        note: lastReload === null ? 'none since the start' : 'last',
        at: lastReload?.at,
        tone: 'off',
      });
      changes({
        value: numberText(runtimeChanges),
        label: runtimeChanges === 1 ? 'change' : 'changes',
        note: 'without a reload',
        tone: 'off',
      });
    } else {
      reloads({
        value: numberText(output.runs),
        label: output.runs === 1 ? 'run' : 'runs',
        note: output.lastRun === null ? 'of EXEC' : 'of EXEC, last',
        at: output.lastRun?.at,
        tone: 'off',
      });
      changes({
        value: head.fault === null ? 'in step' : 'behind',
        label: 'file',
        note: output.path,
        tone: head.fault === null ? 'good' : 'bad',
      });
    }
  };
}

function handsOf({ haproxy, output, fault }: PageHead): Tile {
  if (output !== null)
    return {
      value: output.runs > 0 ? 'told' : 'waiting',
      label: 'proxy',
      note: 'by EXEC',
      tone: output.runs > 0 ? 'good' : 'warn',
    };
  const { running, workerPid, silence } = haproxy;
  if (!running) return { value: 'not running', label: '', note: 'HAProxy is started again', tone: 'bad' };
  if (silence !== null) return { value: 'silent', label: '', note: 'HAProxy does not answer', tone: 'bad' };
  if (fault !== null) return { value: 'behind', label: '', note: 'HAProxy: last good state', tone: 'warn' };
  return { value: 'running', label: '', note: `HAProxy worker ${String(workerPid ?? '?')}`, tone: 'good' };
}

const kindWords = {
  barred: 'barred',
  certificate: 'certificate',
  limit: 'beyond a limit',
  refused: 'refused',
  forbidden: 'forbidden',
  conflicting: 'conflicting',
  rejected: 'rejected',
};

function kindsOf({ problems }: PageState): string {
  if (problems === null) return '';
  const kinds = (Object.keys(kindWords) as (keyof typeof kindWords)[])
    .filter((kind) => problems.counts[kind] > 0)
    .map((kind) => `${numberText(problems.counts[kind])} ${kindWords[kind]}`);
  return kinds.length === 0 ? 'all is served' : kinds.join(', ');
}

interface Tile {
  readonly value: string;
  readonly label: string;
  readonly note: string;
  /** ISO 8601: how long ago is told behind the note. */
  readonly at?: string | undefined;
  readonly tone: Tone;
}

function tileIn(id: string): (tile: Tile) => void {
  const node = byId(id);
  const [value, label, text, age] = [
    element('b'),
    element('span', 'what'),
    element('span'),
    document.createElement('time'),
  ];
  node.append(
    element('span', 'figure', element('i', 'dot'), value, ' ', label),
    element('span', 'note', text, ' ', age),
  );
  return (tile) => {
    setText(value, tile.value);
    setText(label, tile.label);
    setText(text, tile.note);
    age.dataset['at'] = tile.at === undefined ? '' : String(Date.parse(tile.at));
    age.dataset['ago'] = '';
    setClass(node, `tile ${tile.tone}`);
  };
}
