import { formatAddress } from '../../../src/core/address.js';
import type { BindAddress } from '../../../src/core/haproxy/bind.js';
import { parseConfiguration } from '../../../src/core/haproxy/configuration-reader.js';
import type { Step } from '../../../src/core/haproxy/plan.js';
import type { ServerState, ServerStatus } from '../../../src/core/haproxy/replies.js';
import { ConfigurationRefusedError, StepRejectedError, type Proxy } from '../../../src/ports/proxy.js';

/** HAProxy in memory. */
export class FakeProxy implements Proxy {
  running = false;
  /** The file. */
  text = '';
  /** What the worker was started or reloaded with, in order. */
  readonly loads: string[] = [];
  readonly applied: (readonly Step[])[] = [];
  /** Of which listeners the state of the servers was asked for. */
  readonly asked: ('all' | readonly string[])[] = [];
  /** What was checked only, in order. */
  readonly checked: string[] = [];
  /** Ports that another process has. */
  readonly taken = new Set<number>();
  readonly probed: BindAddress[][] = [];
  /** Servers, as `listener/server`, that have a connection. */
  readonly connected = new Set<string>();
  /** Why a configuration is refused, or null. */
  refuse: (text: string) => string | null = () => null;
  /** What `load` waits for, or fails with. */
  beforeLoad: () => Promise<undefined> = () => Promise.resolve(undefined);
  /** What `load` fails with, once. */
  failLoad: Error | null = null;
  /** Why the file can't be written, or null. */
  unwritable: string | null = null;
  /** Why a runtime command is rejected, or null. */
  rejectStep: string | null = null;
  readonly #servers = new Map<string, ServerState>();

  isRunning(): boolean {
    return this.running;
  }

  /** It exits by itself. */
  crash(): void {
    this.running = false;
  }

  /** Somebody at the runtime API, by hand. */
  setWeight(name: string, weight: number): void {
    this.#change(name, { weight });
  }

  /** The same. */
  drain(name: string): void {
    this.#change(name, { drain: true });
  }

  /** Each server as a line: `listener/server address weight`, and whether it is in maintenance. */
  servers(): string[] {
    return [...this.#servers].map(
      ([name, { address, weight, maint, drain }]) =>
        `${name} ${address} ${String(weight)}${maint ? ' maint' : ''}${drain ? ' drain' : ''}`,
    );
  }

  serversState(listeners: 'all' | readonly string[]): Promise<ServerState[]> {
    this.asked.push(listeners);
    const states = [...this.#servers.values()];
    return Promise.resolve(
      listeners === 'all' ? states : states.filter(({ listener }) => listeners.includes(listener)),
    );
  }

  serverStatus(): Promise<ServerStatus[]> {
    const statuses = [...this.#servers.values()].map(({ listener, server }) => ({ listener, server, status: 'UP' }));
    return Promise.resolve(
      statuses.map((status) => ({ ...status, check: 'L4OK', checkText: '', sinceSeconds: 0, sessions: 0 })),
    );
  }

  workerPid(): Promise<number | null> {
    return Promise.resolve(this.running ? 4711 : null);
  }

  answers(): Promise<void> {
    return Promise.resolve();
  }

  replace(): Promise<void> {
    this.running = false;
    return Promise.resolve();
  }

  apply(steps: readonly Step[]): Promise<number> {
    return new Promise((resolve) => {
      if (this.rejectStep !== null) throw new StepRejectedError(this.rejectStep);
      let busy = 0;
      for (const step of steps) busy += this.#take(step);
      if (steps.length > 0) this.applied.push(steps);
      resolve(busy);
    });
  }

  keep(text: () => string): Promise<string | null> {
    if (this.unwritable === null) this.text = text();
    return Promise.resolve(this.unwritable);
  }

  check(text: string): Promise<void> {
    this.checked.push(text);
    const reason = this.refuse(text);
    return reason === null ? Promise.resolve() : Promise.reject(new ConfigurationRefusedError(reason));
  }

  async load(text: string): Promise<void> {
    await this.beforeLoad();
    const failure = this.failLoad;
    this.failLoad = null;
    if (failure !== null) throw failure;
    const reason = this.refuse(text);
    if (reason !== null) throw new ConfigurationRefusedError(reason);
    this.loads.push(text);
    this.running = true;
    this.text = text;
    this.#servers.clear();
    for (const [listener, lines] of parseConfiguration(text).servers) {
      for (const [server, { address, weight }] of lines) {
        this.#servers.set(`${listener}/${server}`, { listener, server, address, weight, maint: false, drain: false });
      }
    }
  }

  takenOf(addresses: readonly BindAddress[]): Promise<BindAddress[]> {
    this.probed.push([...addresses]);
    return Promise.resolve(addresses.filter(({ port }) => this.taken.has(port)));
  }

  stop(): Promise<void> {
    this.running = false;
    return Promise.resolve();
  }

  #change(name: string, changes: Partial<ServerState>): void {
    const state = this.#servers.get(name);
    if (state === undefined) throw new StepRejectedError('No such server.');
    this.#servers.set(name, { ...state, ...changes });
  }

  /** @returns 1 where a server can't be deleted because it has a connection */
  #take(step: Step): 0 | 1 {
    const { listener, server } = step;
    const name = `${listener}/${server}`;
    switch (step.kind) {
      case 'add': {
        if (this.#servers.has(name))
          throw new StepRejectedError('Already exists a server with the same name in backend.');
        const { address, weight } = step.line;
        this.#servers.set(name, { listener, server, address, weight, maint: false, drain: false });
        return 0;
      }
      case 'move':
        this.#change(name, { address: formatAddress(step) });
        return 0;
      case 'weight':
        this.#change(name, { weight: step.weight });
        return 0;
      case 'ready':
      case 'maint':
        this.#change(name, step.kind === 'ready' ? { maint: false, drain: false } : { maint: true });
        return 0;
      case 'shutdown sessions':
        this.connected.delete(name);
        return 0;
      case 'delete':
        if (this.#servers.get(name)?.maint !== true)
          throw new StepRejectedError('Only servers in maintenance mode can be deleted.');
        if (this.connected.has(name)) return 1;
        this.#servers.delete(name);
        return 0;
    }
  }
}
