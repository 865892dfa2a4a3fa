import { createKeyAdmission, type KeyAdmission } from '../core/key-admission.js';
import type { DiscoverLimits } from '../core/limits.js';
import type { HeldEntry, Registry } from '../ports/registry.js';

/** What of a listing is taken. */
export interface ListedKeys {
  readonly revision: number;
  readonly entries: ReadonlyMap<string, HeldEntry>;
  /** Of the keys that are known already, those that stand, also where they are left out now. */
  readonly standing: ReadonlySet<string>;
  /** Goes on from there. */
  readonly admission: KeyAdmission;
}

export interface ListOptions {
  readonly registry: Pick<Registry, 'pages'>;
  readonly limits: DiscoverLimits;
  readonly isKnown: (key: string) => boolean;
}

/** Lists, and keeps in hand no more than the limits allow, however much there is. */
export async function listKeys({ registry, limits, isKnown }: ListOptions, signal: AbortSignal): Promise<ListedKeys> {
  const admission = createKeyAdmission(limits);
  const entries = new Map<string, HeldEntry>();
  const standing = new Set<string>();
  let at = 0;
  for await (const page of registry.pages(signal)) {
    at = page.revision;
    for (const entry of page.entries) {
      if (isKnown(entry.key)) standing.add(entry.key);
      const { isTaken, out } = admission.add(entry);
      for (const key of out) entries.delete(key);
      if (isTaken) entries.set(entry.key, entry);
    }
  }
  return { revision: at, entries, standing, admission };
}
