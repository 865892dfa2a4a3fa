import { deepStrictEqual } from 'node:assert';
import { basePace } from '../../src/core/haproxy/check-pace.js';
import { keyTextOf } from '../../src/adapters/etcd/entry.js';
import { listenerAttributesOf } from '../../src/core/attributes.js';
import { recordOf, staleRecordOf, type CatalogRecord, type LeasedEntry } from '../../src/core/catalog.js';
import { catalogOf } from '../../src/core/catalog-index.js';
import { problemsByKind } from '../../src/core/discover-counts.js';
import { listenerStatusOf, problemListsOf, type DiscoverStatus } from '../../src/core/discover-status.js';
import { admittedBy, allAdmitted, defaultPolicy, whyBarredBy } from '../../src/core/haproxy/client-policy.js';
import type { HeldListener } from '../../src/core/haproxy/listener.js';
import { defaultLimits } from '../../src/core/limits.js';
import { modelOf, type Model } from '../../src/core/haproxy/model.js';
import { parseNetworks } from '../../src/core/networks.js';
import { maxValueBytes } from '../../src/core/keyspace.js';
import { formatLastKnownGood, parseLastKnownGood } from '../../src/core/last-known-good.js';
import { accepted } from '../unit/support/parsed.js';
import { prefix } from '../unit/support/registrations.js';
import { checkHaproxy } from './haproxy.js';
import type { RawEntry } from './entries.js';
import type { Kit } from './kit.js';
import { checkShown } from './shown.js';
import { refuseSpecial } from './special.js';

const admit = admittedBy(defaultPolicy);
/** All networks, and of the special ones loopback. */
const admitLoopback = admittedBy({
  ...defaultPolicy,
  networks: accepted(parseNetworks('0.0.0.0/0,::/0,127.0.0.0/8')),
});
const whyBarred = whyBarredBy(defaultPolicy, new Map([[1936, 'stats page']]));

/** It was there first, and nobody has its address: whatever the others write, it is served just so. */
const bystander: RawEntry = {
  key: Buffer.from('/backends/bystander/good'),
  value: Buffer.from('198.51.100.77:7777?port=19977'),
  createRevision: 1,
  isStale: false,
};

/** Keys and values on their way to HAProxy and to who looks on. */
export function checkEntries(raw: readonly RawEntry[], kit: Kit): void {
  const entries = [bystander, ...raw].map(entryOf);
  const records = entries.map((entry, at) =>
    raw[at - 1]?.isStale === true ? staleRecordOf(prefix, entry) : recordOf(prefix, entry),
  );
  for (const record of records.slice(1)) {
    kit.tally.outcome(`key ${record.kind}`);
    if (record.kind === 'rejected') kit.sinks.line('why a key is rejected', record.reason, 600);
  }
  const model = checkModel(records, [], kit);
  if (kit.cases % 4 === 0) checkSaved(entries, model);
}

/** As the adapter of etcd gives it. */
function entryOf({ key, value, createRevision }: RawEntry): LeasedEntry {
  return { key: keyTextOf(key), value: value.subarray(0, maxValueBytes + 1).toString(), createRevision, lease: '0' };
}

/** @param held listeners of before */
export function checkModel(records: readonly CatalogRecord[], held: readonly HeldListener[], kit: Kit): Model {
  const catalog = catalogOf(records);
  const isLoopbackNamed = kit.cases % 5 === 0;
  const admitted = allAdmitted(catalog.services.map(isLoopbackNamed ? admitLoopback : admit));
  const hasEntrance = kit.cases % 3 > 0;
  const model = modelOf({
    ...admitted,
    held,
    heldRevision: 1,
    hasEntrance,
    whyBarred,
    nowMs: 0,
    lingerMs: 60_000,
    mostListeners: defaultLimits.listeners,
  });
  const own = model.listeners.find(({ name }) => name === 'bystander:19977');
  if (own?.isOpen !== true || own.servers.length !== 1 || own.mode !== 'tcp')
    throw new Error(`a bystander is not served any more: ${JSON.stringify(own)}`);
  kit.tally.outcome('listener open', model.listeners.filter(({ isOpen }) => isOpen).length - 1);
  kit.tally.outcome('listener at the entrance', model.listeners.filter(({ routes }) => routes.length > 0).length);
  kit.tally.outcome('listener refused', model.refused.length);
  kit.tally.outcome(
    'endpoint served',
    model.listeners.reduce((sum, { servers }) => sum + servers.length, -1),
  );
  kit.tally.outcome('endpoint forbidden', model.forbidden.length);

  const { steps, servers } = checkHaproxy(model, kit);
  refuseSpecial(kit.last?.text ?? '', (host) => isLoopbackNamed && host.startsWith('127.'));
  const lists = problemListsOf(catalog, model);
  const status: DiscoverStatus = {
    catalog: 'live',
    revision: 9,
    haproxy: {
      running: true,
      workerPid: 1,
      silence: null,
      reloads: 0,
      runtimeChanges: 0,
      lastReload: null,
      lastChange: null,
    },
    checks: { ...basePace, byDocker: [], clientHosts: 1 },
    output: null,
    fault: null,
    listeners: listenerStatusOf(model, servers, basePace),
    problems: lists.flat(),
    changes: [],
  };
  checkShown({ status, problems: problemsByKind([[], ...lists]), steps }, kit);
  return model;
}

/** What is kept on disk is the same when it is read. */
function checkSaved(entries: readonly LeasedEntry[], { listeners }: Model): void {
  const held = listeners.map((listener) => {
    const { name, service, servicePort, port, isOpen, routes, empty } = listener;
    return { name, service, servicePort, port, isOpen, routes, ...listenerAttributesOf(listener), empty };
  });
  const stale = entries.map((entry) => ({ ...entry, sinceMs: 1 }));
  const state = { revision: 9, entries, stale, held, clientHosts: 9 };
  deepStrictEqual(accepted(parseLastKnownGood(formatLastKnownGood(state))), state);
}
