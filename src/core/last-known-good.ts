import type { LeasedEntry } from './catalog.js';
import { parsePort } from './address.js';
import { listenerNameOf, type HeldListener } from './haproxy/listener.js';
import { listenerAttributeTexts, parseListenerAttributes } from './attributes.js';
import { accept, reject, type Parsed } from './result.js';
import { parseServiceName } from './service.js';

/** What docker-discover keeps on disk, to serve it at its next start before etcd has answered. */
export interface LastKnownGood {
  readonly revision: number;
  readonly entries: readonly LeasedEntry[];
  readonly stale: readonly StaleEntry[];
  /** Who held which port; without it a conflict could end the other way after a restart. */
  readonly held: readonly HeldListener[];
  /** How many client hosts there were; null where nobody had counted them. */
  readonly clientHosts: number | null;
}

/** A key that expired without having been withdrawn. */
export interface StaleEntry extends LeasedEntry {
  /** When it was missed, ms since 1970. */
  readonly sinceMs: number;
}

export const emptyState: LastKnownGood = { revision: 0, entries: [], stale: [], held: [], clientHosts: null };

export function formatLastKnownGood({ revision, entries, stale, held, clientHosts }: LastKnownGood): string {
  const listeners = held.map(({ service, servicePort, port, isOpen, routes, empty, ...attributes }) => ({
    service,
    servicePort,
    port,
    isOpen,
    routes,
    ...Object.fromEntries(listenerAttributeTexts(attributes)),
    empty,
  }));
  const keyOf = ({ key, value, createRevision, lease }: LeasedEntry): LeasedEntry => ({
    key,
    value,
    createRevision,
    lease,
  });
  const state = {
    version: 1,
    revision,
    entries: entries.map(keyOf),
    stale: stale.map((entry) => ({ ...keyOf(entry), sinceMs: entry.sinceMs })),
    held: listeners,
    clientHosts,
  };
  return `${JSON.stringify(state, null, 1)}\n`;
}

/** Somebody may have edited the file: what can reach haproxy.cfg passes the same grammars as what comes from etcd. */
export function parseLastKnownGood(text: string): Parsed<LastKnownGood> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return reject('is not JSON');
  }
  const otherwise = reject('is not of the form that this version writes');
  if (!isRecord(parsed) || parsed['version'] !== 1) return otherwise;
  const { revision, entries, stale, held, clientHosts } = parsed;
  if (!isNumber(revision) || !Array.isArray(entries) || !entries.every(isEntry)) return otherwise;
  if (!Array.isArray(stale) || !stale.every(isStaleEntry) || !Array.isArray(held)) return otherwise;
  const listeners = held.map(heldListenerOf);
  if (!listeners.every((listener) => listener !== null)) return otherwise;
  // An older version did not write it.
  const hosts = isNumber(clientHosts) && clientHosts >= 1 ? clientHosts : null;
  return accept({ revision, entries, stale, held: listeners, clientHosts: hosts });
}

function isEntry(value: unknown): value is LeasedEntry {
  return (
    isRecord(value) &&
    typeof value['key'] === 'string' &&
    typeof value['value'] === 'string' &&
    isNumber(value['createRevision']) &&
    typeof value['lease'] === 'string'
  );
}

function isStaleEntry(value: unknown): value is StaleEntry {
  return isEntry(value) && 'sinceMs' in value && isNumber(value.sinceMs);
}

function heldListenerOf(value: unknown): HeldListener | null {
  if (!isRecord(value)) return null;
  const service = parseServiceName(textOf(value['service']));
  const port = portOf(value['port']);
  const servicePort = portOf(value['servicePort'] ?? value['port']);
  const attributes = parseListenerAttributes(value);
  const empty = emptyOf(value['empty']);
  if (!service.ok || !port.ok || !servicePort.ok || !attributes.ok || empty === undefined) return null;
  return {
    name: listenerNameOf(service.value, servicePort.value),
    service: service.value,
    servicePort: servicePort.value,
    port: port.value,
    // As an older version wrote it, it has its port, and no route.
    isOpen: value['isOpen'] !== false,
    routes: routesOf(value['routes']),
    ...attributes.value,
    empty,
  };
}

/** They are compared with what a listener asks for, and go nowhere else. */
function routesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((route) => typeof route === 'string') : [];
}

function emptyOf(value: unknown): HeldListener['empty'] | undefined {
  if (value === null) return null;
  if (!isRecord(value)) return undefined;
  const { sinceMs, revision } = value;
  return isNumber(sinceMs) && isNumber(revision) ? { sinceMs, revision } : undefined;
}

function portOf(value: unknown): Parsed<number> {
  return parsePort(isNumber(value) ? String(value) : '');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
