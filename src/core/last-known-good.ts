import type { Entry } from './catalog.js';
import type { HeldListener } from './haproxy/model.js';
import { accept, reject, type Parsed } from './result.js';

/** What docker-discover keeps on disk, to serve it at its next start before etcd has answered. */
export interface LastKnownGood {
  readonly revision: number;
  readonly entries: readonly Entry[];
  /** Who held which port; without it a conflict could end the other way after a restart. */
  readonly held: readonly HeldListener[];
}

export function formatLastKnownGood({ revision, entries, held }: LastKnownGood): string {
  const listeners = held.map(({ name, service, port, mode, balance, check, empty }) => ({
    name,
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

/** The file is our own, in a directory of ours: its shape is checked, its entries go through the grammar like any other. */
export function parseLastKnownGood(text: string): Parsed<LastKnownGood> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return reject('is not JSON');
  }
  if (!isShape(parsed)) return reject('is not of the form that this version writes');
  return accept({ revision: parsed.revision, entries: parsed.entries, held: parsed.held });
}

function isShape(value: unknown): value is LastKnownGood {
  if (!isRecord(value) || value['version'] !== 1 || typeof value['revision'] !== 'number') return false;
  const { entries, held } = value;
  return Array.isArray(entries) && entries.every(isEntry) && Array.isArray(held) && held.every(isHeld);
}

function isEntry(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return (
    typeof value['key'] === 'string' &&
    typeof value['value'] === 'string' &&
    typeof value['createRevision'] === 'number'
  );
}

function isHeld(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return (
    typeof value['name'] === 'string' &&
    typeof value['service'] === 'string' &&
    typeof value['port'] === 'number' &&
    'empty' in value
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
