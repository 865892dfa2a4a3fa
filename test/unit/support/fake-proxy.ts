import type { BindAddress } from '../../../src/core/haproxy/bind.js';
import type { Model } from '../../../src/core/haproxy/model.js';
import type { Step } from '../../../src/core/haproxy/plan.js';
import type { ServerState, ServerStatus } from '../../../src/core/haproxy/replies.js';
import { ConfigurationRefusedError, StepRejectedError, type Proxy } from '../../../src/ports/proxy.js';

/** HAProxy in memory. */
export class FakeProxy implements Proxy {
  running = false;
  /** The file that the running worker was started with, brought up to date by `apply`. */
  text = '';
  model: Model | null = null;
  readonly loads: { readonly text: string; readonly model: Model }[] = [];
  readonly applied: (readonly Step[])[] = [];
  /** Ports that another process has. */
  readonly taken = new Set<number>();
  readonly probed: BindAddress[][] = [];
  /** Why a configuration is refused, or null. */
  refuse: (text: string) => string | null = () => null;
  /** What `load` fails with, once. */
  failLoad: Error | null = null;
  /** Why a runtime command is rejected, or null. */
  rejectStep: string | null = null;
  #weights = new Map<string, ServerState>();

  isRunning(): boolean {
    return this.running;
  }

  /** It exits by itself. */
  crash(): void {
    this.running = false;
  }

  setWeight(listener: string, server: string, weight: number): void {
    const state = this.#weights.get(`${listener}/${server}`);
    if (state !== undefined) this.#weights.set(`${listener}/${server}`, { ...state, weight });
  }

  serversState(): Promise<ServerState[]> {
    return Promise.resolve([...this.#weights.values()]);
  }

  serverStatus(): Promise<ServerStatus[]> {
    const statuses = [...this.#weights.values()].map(({ listener, server }) => ({ listener, server, status: 'UP' }));
    return Promise.resolve(statuses.map((status) => ({ ...status, check: 'L4OK', sessions: 0 })));
  }

  workerPid(): Promise<number | null> {
    return Promise.resolve(this.running ? 4711 : null);
  }

  apply(steps: readonly Step[], text: string): Promise<void> {
    if (this.rejectStep !== null) return Promise.reject(new StepRejectedError(this.rejectStep));
    this.applied.push(steps);
    for (const { listener, server, weight } of steps) this.setWeight(listener, server, weight);
    this.text = text;
    return Promise.resolve();
  }

  load(text: string, model: Model): Promise<void> {
    const failure = this.failLoad;
    this.failLoad = null;
    if (failure !== null) return Promise.reject(failure);
    const reason = this.refuse(text);
    if (reason !== null) return Promise.reject(new ConfigurationRefusedError(reason));
    this.loads.push({ text, model });
    this.running = true;
    this.text = text;
    this.model = model;
    this.#weights = new Map(
      model.listeners.flatMap(({ name, servers }) =>
        servers.map(({ name: server, host, port, weight }) => [
          `${name}/${server}`,
          { listener: name, server, host, port, weight },
        ]),
      ),
    );
    return Promise.resolve();
  }

  takenOf(addresses: readonly BindAddress[]): Promise<BindAddress[]> {
    this.probed.push([...addresses]);
    return Promise.resolve(addresses.filter(({ port }) => this.taken.has(port)));
  }

  stop(): Promise<void> {
    this.running = false;
    return Promise.resolve();
  }
}
