import { basePace } from '../../src/core/haproxy/check-pace.js';
import { parseLogLine } from '../../src/core/haproxy/log-line.js';
import { parseShowStat } from '../../src/core/haproxy/replies.js';
import { listenerStatusOf } from '../../src/core/discover-status.js';
import { problemsByKind } from '../../src/core/discover-counts.js';
import { parseLastKnownGood } from '../../src/core/last-known-good.js';
import { recordOf } from '../../src/core/catalog.js';
import { listenerWith, modelWith, serverWith } from '../unit/support/models.js';
import { prefix } from '../unit/support/registrations.js';
import { statusWith } from '../unit/support/status.js';
import { checkModel } from './discover.js';
import type { Kit } from './kit.js';
import { checkShown } from './shown.js';

const longestText = 2_001;

/** What HAProxy says of clients and back ends on its way to the log. */
export function checkLogLine(line: string, kit: Kit): void {
  const parsed = parseLogLine(line);
  kit.tally.outcome(`line of HAProxy ${parsed === null ? 'left out' : `told: ${parsed.level}`}`);
  if (parsed === null) return;
  for (const text of [parsed.message, ...Object.values(parsed.fields).map(String)])
    if (text.length > longestText) throw new Error(`line of HAProxy: ${String(text.length)} characters`);
  kit.logs.check(
    (log) => {
      log[parsed.level](parsed.fields, parsed.message);
    },
    kit.cases % 4 === 0,
  );
}

const columns = '# pxname,svname,scur,status,lastchg,check_status,check_desc,last_chk,-';

/** What a back end answers to a check, on its way to `ls`, `explain` and the page. */
export function checkCheckWords(words: readonly string[], kit: Kit): void {
  // HAProxy puts what has a quote or a comma in it between quotes (`csv_enc`).
  const cell = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = words.map((text, n) => `web:8000,s${String(n)},0,DOWN,1,L7STS,Layer7 wrong status,${cell(text)},`);
  const servers = parseShowStat(`${[columns, ...rows, ''].join('\n')}\n`);
  if (servers.length !== words.length) throw new Error(`show stat: ${String(servers.length)} servers`);
  kit.tally.outcome('answer of a back end shown', words.length);
  for (const { checkText } of servers) kit.sinks.line('answer of a back end', checkText, 250);
  const model = modelWith(
    listenerWith({ service: 'web', servers: words.map((_text, n) => serverWith({ name: `s${String(n)}` })) }),
  );
  const listeners = listenerStatusOf(model, servers, basePace);
  checkShown({ status: statusWith({ listeners }), problems: problemsByKind([]), steps: [] }, kit);
}

/** A file that somebody edited, on its way to haproxy.cfg. */
export function checkSavedState(text: string, kit: Kit): void {
  const state = parseLastKnownGood(text);
  kit.tally.outcome(`saved state ${state.ok ? 'accepted' : 'rejected'}`);
  if (!state.ok) {
    kit.sinks.line('why a saved state is rejected', state.reason, 200);
    return;
  }
  const bystander = { key: `${prefix}/bystander/good`, value: '198.51.100.77:7777?port=19977', createRevision: 1 };
  const entries = [bystander, ...state.value.entries, ...state.value.stale];
  checkModel(
    entries.map((entry) => recordOf(prefix, entry)),
    state.value.held,
    kit,
  );
}
