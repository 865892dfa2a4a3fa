import type { Problem } from '../catalog.js';
import { formatBind, type BindAddress } from './bind.js';

/** What HAProxy offers beside the services, each on a port of its own. */
export type FixedName = 'stats page' | 'HTTP entrance' | 'HTTPS entrance';

export interface FixedBind {
  readonly name: FixedName;
  readonly bind: BindAddress;
  /** Where the user can choose another. */
  readonly setting: string;
}

/** Where they are, as far as they are wanted. */
export interface FixedAddresses {
  readonly statsBind: BindAddress;
  readonly httpBind: BindAddress | null;
  readonly httpsBind: BindAddress | null;
}

export function fixedBindsOf({ statsBind, httpBind, httpsBind }: FixedAddresses): readonly FixedBind[] {
  return [
    { name: 'stats page', bind: statsBind, setting: 'STATS_BIND' } as const,
    { name: 'HTTP entrance', bind: httpBind, setting: 'HTTP_BIND' } as const,
    { name: 'HTTPS entrance', bind: httpsBind, setting: 'HTTPS_BIND' } as const,
  ].flatMap(({ name, bind, setting }) => (bind === null ? [] : [{ name, bind, setting }]));
}

export function hasEntrance({ httpBind, httpsBind }: FixedAddresses): boolean {
  return httpBind !== null || httpsBind !== null;
}

/** Those of them that another process keeps from us. HAProxy's words don't tell that from one that it may not open. */
export function barredProblemsOf(fixed: readonly FixedBind[], barred: ReadonlySet<FixedName>): readonly Problem[] {
  return fixed
    .filter(({ name }) => barred.has(name))
    .map(({ name, bind, setting }) => {
      const orNoRight = bind.port < 1024 ? ', or HAProxy may not open it (docs/security.md)' : '';
      return {
        key: name,
        reason: `${formatBind(bind)} is taken by another process${orNoRight}; free it, or set ${setting}`,
      };
    });
}
