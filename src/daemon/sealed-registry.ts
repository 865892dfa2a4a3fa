import type { Seal } from '../core/signature.js';
import type { Registry } from '../ports/registry.js';

/** A registry in which everything that is put is sealed. What stands there is told as it stands. */
export function sealedRegistry(registry: Registry, seal: Seal): Registry {
  return {
    list: (signal) => registry.list(signal),
    listOwn: (lease, keys, signal) => registry.listOwn(lease, keys, signal),
    pages: (signal) => registry.pages(signal),
    revision: (signal) => registry.revision(signal),
    countKeys: (signal) => registry.countKeys(signal),
    fingerprint: (signal) => registry.fingerprint(signal),
    watch: (revision, onEvents, signal) => registry.watch(revision, onEvents, signal),
    apply({ puts, deletes }, lease, signal) {
      const sealed = puts.map(({ key, value }) => ({ key, value: seal.seal(key, value) }));
      return registry.apply({ puts: sealed, deletes }, lease, signal);
    },
    grantLease: (ttlMs, signal) => registry.grantLease(ttlMs, signal),
    keepAlive: (lease, signal) => registry.keepAlive(lease, signal),
    leaseTime: (lease, signal) => registry.leaseTime(lease, signal),
    livingLeases: (revision, signal) => registry.livingLeases(revision, signal),
    revoke: (lease, signal) => registry.revoke(lease, signal),
  };
}
