import { askInTurn } from '../../src/adapters/etcd/ask-in-turn.js';
import { rangeOf } from '../../src/adapters/etcd/registry.js';
import { createWire, entryOf, type Page, type RangeRequest, type Wire } from './etcd-wire.js';

const range = rangeOf('/backends/');
/** As `pages.ts` has it. */
const mostKeys = 10_000;
/** As `client.ts` and `registry.ts` have them: for a small question, and for a page. */
const small = { patienceMs: 1_000, timeoutMs: 5_000 };
const page = { patienceMs: 10_000, timeoutMs: 30_000 };

/** One for each member, in a turn of its own. */
export function wiresOf(urls: readonly string[]): readonly Wire[] {
  const first = Math.floor(Math.random() * urls.length);
  return [...urls.slice(first), ...urls.slice(0, first)].map(createWire);
}

/** All registrations, asked for as the daemons do, and left unread. */
export async function listByWire(
  wires: readonly Wire[],
  signal: AbortSignal,
): Promise<{ readonly revision: number; readonly entries: readonly Buffer[] }> {
  const ask = async (
    members: readonly Wire[],
    { patienceMs, timeoutMs }: typeof small,
    request: RangeRequest,
  ): Promise<{ readonly member: Wire; readonly answer: Page }> => {
    const deadline = Date.now() + timeoutMs;
    const once = (wire: Wire): Promise<Page> => wire.range(request, deadline);
    return askInTurn({ members, ask: once, patienceMs, isLocal: () => true, signal });
  };
  // Whoever answers this lives, and is the one that is asked for the pages.
  const nothing = { key: range.key, rangeEnd: Buffer.alloc(0), limit: 0, revision: 0, countOnly: true };
  const { member } = await ask(wires, small, nothing);
  const members = [member, ...wires.filter((wire) => wire !== member)];
  const entries: Buffer[] = [];
  let revision = 0;
  let key = range.key;
  for (;;) {
    const { answer } = await ask(members, page, { key, rangeEnd: range.range_end, limit: mostKeys, revision });
    if (revision === 0) ({ revision } = answer);
    entries.push(...answer.entries);
    const last = answer.entries.at(-1);
    if (answer.isLast || last === undefined) return { revision, entries };
    key = Buffer.concat([Buffer.from(entryOf(last).key), Buffer.of(0)]);
  }
}
