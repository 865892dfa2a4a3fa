import type { Entry } from './catalog.js';
import { parsePort } from './address.js';
import { listenerNameOf, type HeldListener } from './haproxy/model.js';
import { parseListenerAttributes } from './keyspace.js';
import { accept, reject, type Parsed } from './result.js';
import { parseServiceName } from './service.js';

/** What docker-discover keeps on disk, to serve it at its next start before etcd has answered. */
export interface LastKnownGood {
  readonly revision: number;
  readonly entries: readonly Entry[];
  /** Who held which port; without it a conflict could end the other way after a restart. */
  readonly held: readonly HeldListener[];
}

export function formatLastKnownGood({ revision, entries, held }: LastKnownGood): string {
  const listeners = held.map(({ service, port, mode, balance, check, empty }) => ({
    service,
    port,
    mode,
    balance,
    check,
    empty,
  }));
  const keys = entries.map(({ key, value, createRevision }) => ({ key, value, createRevision }));
  return `${JSON.stringify({ version: 1, revision, entries: keys, held: listeners }, null, 1)}\n`;
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
  const { revision, entries, held } = parsed;
  if (!isNumber(revision) || !Array.isArray(entries) || !entries.every(isEntry) || !Array.isArray(held))
    return otherwise;
  const listeners = held.map(heldListenerOf);
  if (!listeners.every((listener) => listener !== null)) return otherwise;
  return accept({ revision, entries, held: listeners });
}

function isEntry(value: unknown): value is Entry {
  return (
    isRecord(value) &&
    typeof value['key'] === 'string' &&
    typeof value['value'] === 'string' &&
    isNumber(value['createRevision'])
  );
}

function heldListenerOf(value: unknown): HeldListener | null {
  if (!isRecord(value)) return null;
  const service = parseServiceName(textOf(value['service']));
  const port = parsePort(isNumber(value['port']) ? String(value['port']) : '');
  const attributes = parseListenerAttributes({
    mode: textOf(value['mode']),
    balance: textOf(value['balance']),
    check: value['check'] === null ? 'tcp' : textOf(value['check']),
  });
  const empty = emptyOf(value['empty']);
  if (!service.ok || !port.ok || !attributes.ok || empty === undefined) return null;
  return {
    name: listenerNameOf(service.value, port.value),
    service: service.value,
    port: port.value,
    ...attributes.value,
    empty,
  };
}

function emptyOf(value: unknown): HeldListener['empty'] | undefined {
  if (value === null) return null;
  if (!isRecord(value)) return undefined;
  const { sinceMs, revision } = value;
  return isNumber(sinceMs) && isNumber(revision) ? { sinceMs, revision } : undefined;
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
