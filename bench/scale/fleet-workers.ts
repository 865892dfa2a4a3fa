import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FleetOrder, FleetReport, FleetRole } from './fleet-orders.js';

/** Hosts in processes of their own, which obey together. */
export interface Workers {
  /** @returns the sum of what they report; of what took time, the longest */
  ask(order: FleetOrder): Promise<FleetReport>;
  stop(): Promise<void>;
}

interface Worker {
  ask(order: FleetOrder): Promise<FleetReport>;
  stop(): Promise<void>;
}

type Answer = { readonly ok: true; readonly report: FleetReport } | { readonly ok: false; readonly error: string };

/** @param mostEach more of them would keep a process busy with what on hosts of their own takes a fraction of that */
export async function startWorkers(
  role: FleetRole,
  { count, mostEach, urls }: { readonly count: number; readonly mostEach: number; readonly urls: readonly string[] },
): Promise<Workers> {
  const workers: Worker[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.stop()));
  };
  try {
    for (let first = 0; first < count; first += mostEach)
      workers.push(await startWorker(role, { count: Math.min(mostEach, count - first), first, urls }));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ask: async (order) =>
      merged(await Promise.all(workers.map((worker) => worker.ask(shareOf(order, workers.length))))),
    stop,
  };
}

/** Of what all of them do together. */
function shareOf(order: FleetOrder, workers: number): FleetOrder {
  if (order.do !== 'deploy') return order;
  return { ...order, containers: Math.round(order.containers / workers), perSecond: order.perSecond / workers };
}

function merged(reports: readonly FleetReport[]): FleetReport {
  const sum = (what: (report: FleetReport) => number | undefined): number =>
    reports.reduce((total, report) => total + (what(report) ?? 0), 0);
  return {
    lagMs: reports.flatMap(({ lagMs = [] }) => lagMs),
    events: sum(({ events }) => events),
    failures: sum(({ failures }) => failures),
    hosts: sum(({ hosts }) => hosts),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    mib: sum(({ mib }) => mib),
    tookMs: Math.max(...reports.map(({ tookMs = 0 }) => tookMs)),
  };
}

async function startWorker(
  role: FleetRole,
  { count, first, urls }: { readonly count: number; readonly first: number; readonly urls: readonly string[] },
): Promise<Worker> {
  const script = fileURLToPath(new URL('./fleet-worker.ts', import.meta.url));
  const args = [role, String(count), String(first), urls.join()];
  const child: ChildProcess = fork(script, args, { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'exit');
  const answer = async (): Promise<FleetReport> => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => {
        throw new Error(`the worker for ${role} ended with ${String(code)}`);
      }),
    ])) as [Answer];
    if (!message.ok) throw new Error(`the worker for ${role}: ${message.error}`);
    return message.report;
  };
  await answer();
  return {
    ask(order) {
      child.send(order);
      return answer();
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
