import type { ContainerSnapshot } from '../../../src/core/container.js';
import type { ContainerEngine, ContainerEvent, ContainerListing } from '../../../src/ports/container-engine.js';
import { abortable, deferred } from './deferred.js';

/** A Docker engine in memory. */
export class FakeEngine implements ContainerEngine {
  readonly containers = new Map<string, ContainerSnapshot>();
  /** Ids of those that are listed, but not told about. */
  readonly silent = new Set<string>();
  readonly calls: ('list' | 'inspect' | 'follow')[] = [];
  /** Called when a call has its answer, before it gives it; may throw, or wait. */
  before: (call: 'list' | 'inspect' | 'follow') => void | Promise<void> = () => undefined;
  #stream: { readonly onEvent: (event: ContainerEvent) => void; end(error: Error): void } | null = null;

  failOn(...calls: readonly ('list' | 'inspect' | 'follow')[]): void {
    this.before = (call) => {
      if (calls.includes(call)) throw new Error(`Docker did not ${call}`);
    };
  }

  recover(): void {
    this.before = () => undefined;
  }

  /** A container is there, or is changed. */
  set(...containers: readonly ContainerSnapshot[]): void {
    for (const container of containers) this.containers.set(container.id, container);
  }

  emit(id: string, action: string, signal: number | null = null, atMs: number | null = null): void {
    this.#stream?.onEvent({ id, action, signal, atMs });
  }

  isFollowed(): boolean {
    return this.#stream !== null;
  }

  /** The stream tells nothing any more, and does not end. */
  muteStream(): void {
    if (this.#stream !== null) this.#stream = { ...this.#stream, onEvent: () => undefined };
  }

  breakStream(): void {
    this.#stream?.end(new Error('the event stream broke'));
  }

  list(signal: AbortSignal): Promise<ContainerListing> {
    return this.#call('list', signal, () => {
      const all = [...this.containers.values()];
      const silent = all.filter(({ id }) => this.silent.has(id)).map(({ id }) => ({ id, reason: 'no answer in 10s' }));
      return { containers: all.filter(({ id }) => !this.silent.has(id)), silent };
    });
  }

  inspect(id: string, signal: AbortSignal): Promise<ContainerSnapshot | null> {
    return this.#call('inspect', signal, () => {
      if (this.silent.has(id)) throw new Error('no answer in 10s');
      return this.containers.get(id) ?? null;
    });
  }

  async follow(...[{ onOpen, onEvent }, signal]: Parameters<ContainerEngine['follow']>): Promise<void> {
    await this.#call('follow', signal, () => undefined);
    const ended = deferred();
    const stream = {
      onEvent,
      end: (error: Error) => {
        ended.reject(error);
      },
    };
    this.#stream = stream;
    const stop = (): void => {
      ended.resolve();
    };
    signal.addEventListener('abort', stop);
    onOpen();
    try {
      await ended.promise;
    } finally {
      signal.removeEventListener('abort', stop);
      if (this.#stream === stream) this.#stream = null;
    }
  }

  async #call<T>(call: 'list' | 'inspect' | 'follow', signal: AbortSignal, look: () => T): Promise<T> {
    signal.throwIfAborted();
    this.calls.push(call);
    const answer = Promise.resolve().then(look);
    await abortable(
      answer.then(() => this.before(call)),
      signal,
    );
    return answer;
  }
}
