import { deepStrictEqual } from 'node:assert';
import { snapshotOf } from '../../src/adapters/docker/map-inspect.js';
import { asciiJson } from '../../src/cli/discover-ls.js';
import { explanationText } from '../../src/cli/register-explain.js';
import { recordOf } from '../../src/core/catalog.js';
import type { ContainerSnapshot } from '../../src/core/container.js';
import { explanationOf } from '../../src/core/explanation.js';
import { formatValue, keyOf } from '../../src/core/keyspace.js';
import { plain } from '../../src/cli/paint.js';
import { registrationsOf, type Registrations } from '../../src/core/registrations.js';
import { createDesiredKeys } from '../../src/daemon/desired-keys.js';
import { prefix } from '../unit/support/registrations.js';
import type { RawContainer } from './containers.js';
import type { RawEntry } from './entries.js';
import { colours, type Kit } from './kit.js';

const longestReason = 600;
const longestSource = 120;

/** A container on its way to etcd. */
export function checkContainer(raw: RawContainer, kit: Kit): RawEntry[] {
  const { policy, stopping, eventAtMs } = raw;
  const container = snapshotOf(raw.container, policy.limits);
  const outcome = registrationsOf(container, policy, { stopping, eventAtMs, networkOwner: null });
  const entries = outcome.registrations.map((registration) => {
    const [key, value] = [keyOf(prefix, registration), formatValue(registration)];
    kit.sinks.key(key);
    kit.sinks.value(value);
    const record = recordOf(prefix, { key, value, createRevision: 2 });
    if (record.kind !== 'endpoint') throw new Error(`what is written is not read: ${key} ${value}: ${record.kind}`);
    deepStrictEqual(record.endpoint, { ...registration, key, createRevision: 2, stale: false });
    return { key: Buffer.from(key), value: Buffer.from(value), createRevision: 2, isStale: false };
  });
  checkReasons(outcome, kit);
  checkExplanation(container, raw, kit);
  const view = {
    snapshots: () => [container],
    find: () => container,
    takeTouched: () => null,
    unknown: () => new Set<string>(),
    isStopping: () => stopping,
    eventTimes: () => new Map(eventAtMs === null ? [] : [[container.id, eventAtMs]]),
    forgetTimes: () => undefined,
  };
  kit.logs.check(
    (log) => {
      const { keys } = createDesiredKeys({ prefix, policy, view, changeRate: 0, log }).look();
      for (const [key, value] of keys) log.info({ key, value, reasons: ['event'] }, 'registered');
    },
    kit.cases % 4 === 0,
  );
  return entries;
}

function checkReasons({ registrations, skipped, misread }: Registrations, { sinks, tally }: Kit): void {
  tally.outcome(registrations.length > 0 ? 'container registered' : 'container left out');
  tally.outcome('port registered', registrations.length);
  tally.outcome('port or container skipped', skipped.length);
  tally.outcome('label or variable not understood', misread.length);
  for (const { reason, containerPort } of skipped) {
    sinks.line('why it is not registered', reason, longestReason);
    sinks.line('why it is not registered', containerPort ?? '', longestSource);
  }
  for (const { source, allowed } of misread) {
    sinks.line('what is not understood', source, longestSource);
    sinks.line('what is not understood', allowed, longestReason);
  }
}

function checkExplanation(container: ContainerSnapshot, { policy, eventAtMs }: RawContainer, { sinks }: Kit): void {
  const { registrations } = registrationsOf(container, policy, { stopping: false, eventAtMs, networkOwner: null });
  // What stands there is whatever somebody wrote.
  const standing = new Map(registrations.map((one) => [keyOf(prefix, one), container.name]));
  const explanation = explanationOf(container, {
    policy,
    prefix,
    running: [],
    standing: { ok: true, value: standing },
  });
  for (const { state } of explanation.registrations) sinks.line('docker-register explain', state, longestReason);
  const parts = [explanation.registrations, explanation.skipped, explanation.misread].map(({ length }) => length);
  const tables = parts.filter((length) => length > 0);
  const lines = tables.length === 0 ? 3 : 1 + tables.reduce((sum, length) => sum + length + 2, 0);
  const printed = { plain: explanationText(explanation, plain), painted: explanationText(explanation, colours), lines };
  sinks.terminal('docker-register explain', printed);
  sinks.json('docker-register explain --json', asciiJson(explanation), explanation);
}
