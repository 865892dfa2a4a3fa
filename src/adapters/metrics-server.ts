import { createServer } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import type { BindAddress } from '../core/haproxy/bind.js';

/** A number that is looked up when somebody asks, or one for each value of a label. */
export interface GaugeOf {
  readonly name: string;
  readonly help: string;
  readonly value: () => number | ReadonlyMap<string, number>;
  /** Of the label, where there are several values. */
  readonly label?: string;
}

export interface MetricsOptions {
  readonly bind: BindAddress;
  readonly gauges: readonly GaugeOf[];
}

/**
 * Serves `GET /metrics` in Prometheus' text format until `signal` fires. Rejects where the port can't be had.
 *
 * @param onOpen it is served now
 */
export async function serveMetrics(
  { bind, gauges }: MetricsOptions,
  onOpen: () => void,
  signal: AbortSignal,
): Promise<void> {
  const registry = registryOf(gauges);
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n');
      return;
    }
    registry
      .metrics()
      .then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text))
      // The asker is gone; nobody is left to tell.
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    const close = (): void => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    };
    server.once('error', reject);
    server.listen(bind.port, bind.host === '*' ? '0.0.0.0' : bind.host, () => {
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true });
      onOpen();
    });
  });
}

function registryOf(gauges: readonly GaugeOf[]): Registry {
  const registry = new Registry();
  for (const { name, help, value, label } of gauges)
    new Gauge({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [registry],
      collect() {
        const now = value();
        if (typeof now === 'number') this.set(now);
        else for (const [text, count] of now) this.set({ [label ?? '']: text }, count);
      },
    });
  return registry;
}
