import type { Diff } from '../../../src/core/diff.js';
import {
  LeaseLostError,
  type Fingerprint,
  type HeldEntry,
  type LeaseTime,
  type Listing,
  type Registry,
  type WatchEvent,
} from '../../../src/ports/registry.js';
import { abortable, deferred } from './deferred.js';

type Call = keyof Registry;

/** etcd in memory. What a test does to it is told to the watch, unless the test mutes it. */
export class FakeRegistry implements Registry {
  readonly entries = new Map<string, HeldEntry>();
  readonly leases = new Set<string>();
  /** What a lease has left, where it is not all of it. */
  readonly leaseTimes = new Map<string, () => LeaseTime>();
  /** Every call that was made, in order. */
  readonly calls: Call[] = [];
  readonly applied: { readonly diff: Diff; readonly lease: string }[] = [];
  /** What is applied may be carried out once more, later. */
  mayRepeat = false;
  /** What is applied is carried out, and fails. */
  losesAnswers = false;
  /** Keys in one page of a listing. */
  pageSize = 3;
  /** Changes are not told to the watch. */
  muted = false;
  /** Called within a call, before it answers; may throw, or wait. */
  before: (call: Call) => void | Promise<void> = () => undefined;
  #revision = 1;
  #leaseCount = 0;
  #watch: {
    readonly onEvents: (events: readonly WatchEvent[], revision: number) => void;
    end(error: Error): void;
  } | null = null;

  /** Makes calls fail, until `recover`. */
  failOn(...calls: readonly Call[]): void {
    this.before = (call) => {
      if (calls.includes(call)) throw new Error(`etcd did not ${call}`);
    };
  }

  recover(): void {
    this.before = () => undefined;
    this.losesAnswers = false;
  }

  put(key: string, value: string, lease = '0'): void {
    this.#revision += 1;
    const createRevision = this.entries.get(key)?.createRevision ?? this.#revision;
    const entry = { key, value, createRevision, modRevision: this.#revision, lease };
    this.entries.set(key, entry);
    this.#tell({ kind: 'put', entry });
  }

  remove(key: string): void {
    this.#revision += 1;
    this.entries.delete(key);
    this.#tell({ kind: 'delete', key });
  }

  /** The lease and all its keys are gone. */
  expire(lease: string): void {
    this.leases.delete(lease);
    for (const entry of [...this.entries.values()]) if (entry.lease === lease) this.remove(entry.key);
  }

  /** It comes back with an empty data directory. */
  loseData(): void {
    this.entries.clear();
    this.leases.clear();
    this.#revision = 1;
  }

  isWatched(): boolean {
    return this.#watch !== null;
  }

  breakWatch(): void {
    this.#watch?.end(new Error('the watch broke'));
  }

  values(): Record<string, string> {
    return Object.fromEntries([...this.entries.values()].map(({ key, value }) => [key, value]));
  }

  count(call: Call): number {
    return this.calls.filter((made) => made === call).length;
  }

  list(signal: AbortSignal): Promise<Listing> {
    return this.#call('list', signal, () => ({ revision: this.#revision, entries: [...this.entries.values()] }));
  }

  async *pages(signal: AbortSignal): AsyncGenerator<Listing, void, undefined> {
    const { revision, entries } = await this.list(signal);
    for (let at = 0; at === 0 || at < entries.length; at += this.pageSize)
      yield { revision, entries: entries.slice(at, at + this.pageSize) };
  }

  listOwn(lease: string, keys: Iterable<string>, signal: AbortSignal): Promise<readonly HeldEntry[]> {
    const asked = new Set(keys);
    return this.#call('listOwn', signal, () =>
      [...this.entries.values()].filter((entry) => asked.has(entry.key) || entry.lease === lease),
    );
  }

  revision(signal: AbortSignal): Promise<number> {
    return this.#call('revision', signal, () => this.#revision);
  }

  countKeys(signal: AbortSignal): Promise<number> {
    return this.#call('countKeys', signal, () => this.entries.size);
  }

  fingerprint(signal: AbortSignal): Promise<Fingerprint> {
    return this.#call('fingerprint', signal, () => ({
      revision: this.#revision,
      count: this.entries.size,
      latest: Math.max(0, ...[...this.entries.values()].map(({ modRevision }) => modRevision)),
    }));
  }

  async watch(...[revision, onEvents, signal]: Parameters<Registry['watch']>): Promise<void> {
    await this.#call('watch', signal, () => undefined);
    if (revision !== this.#revision) throw new Error('this fake replays nothing');
    const ended = deferred();
    this.#watch = {
      onEvents,
      end: (error) => {
        ended.reject(error);
      },
    };
    const stop = (): void => {
      ended.resolve();
    };
    signal.addEventListener('abort', stop);
    try {
      await ended.promise;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#watch = null;
    }
  }

  apply(diff: Diff, lease: string, signal: AbortSignal): Promise<{ readonly mayRepeat: boolean }> {
    return this.#call('apply', signal, () => {
      if (diff.puts.length > 0 && !this.leases.has(lease)) throw new LeaseLostError(lease);
      this.applied.push({ diff, lease });
      for (const key of diff.deletes) this.remove(key);
      for (const { key, value } of diff.puts) this.put(key, value, lease);
      if (this.losesAnswers) throw new Error('the answer was lost');
      return { mayRepeat: this.mayRepeat };
    });
  }

  grantLease(_ttlMs: number, signal: AbortSignal): Promise<string> {
    return this.#call('grantLease', signal, () => {
      this.#leaseCount += 1;
      const lease = `lease-${String(this.#leaseCount)}`;
      this.leases.add(lease);
      return lease;
    });
  }

  keepAlive(lease: string, signal: AbortSignal): Promise<'alive' | 'lost'> {
    return this.#call('keepAlive', signal, () => (this.leases.has(lease) ? 'alive' : 'lost'));
  }

  leaseTime(lease: string, signal: AbortSignal): Promise<LeaseTime | null> {
    return this.#call('leaseTime', signal, () =>
      this.leases.has(lease) ? (this.leaseTimes.get(lease)?.() ?? { remainingMs: 15_000, grantedMs: 15_000 }) : null,
    );
  }

  livingLeases(_revision: number, signal: AbortSignal): Promise<ReadonlySet<string> | null> {
    return this.#call('livingLeases', signal, () => new Set(this.leases));
  }

  revoke(lease: string, signal: AbortSignal): Promise<void> {
    return this.#call('revoke', signal, () => {
      this.expire(lease);
    });
  }

  async #call<T>(call: Call, signal: AbortSignal, answer: () => T): Promise<T> {
    signal.throwIfAborted();
    this.calls.push(call);
    await abortable(
      Promise.resolve().then(() => this.before(call)),
      signal,
    );
    return answer();
  }

  #tell(event: WatchEvent): void {
    if (!this.muted) this.#watch?.onEvents([event], this.#revision);
  }
}
