import type { Lab } from '../lab/lab.js';
import { processesOf, type ProcessUse } from './processes.js';
import type { Series, Unit } from './trend.js';

/** All figures of one moment, by name. */
export interface Sample {
  readonly atMs: number;
  readonly figures: Readonly<Record<string, { readonly unit: Unit; readonly value: number }>>;
}

/** Both daemons and HAProxy on all hosts, seen from outside. */
export async function sampleOf({ backends, clients }: Lab): Promise<Sample> {
  const figures: Record<string, Sample['figures'][string]> = {};
  for (const host of backends)
    Object.assign(
      figures,
      daemonFigures(`docker-register on ${host.name}`, await processesOf(host, 'docker-register')),
    );
  for (const host of clients) {
    const uses = await processesOf(host, 'docker-discover');
    Object.assign(figures, daemonFigures(`docker-discover on ${host.name}`, uses), haproxyFigures(host.name, uses));
  }
  return { atMs: Date.now(), figures };
}

function daemonFigures(name: string, uses: readonly ProcessUse[]): Sample['figures'] {
  const daemon = uses.find(({ role }) => role === 'daemon');
  if (daemon === undefined) throw new Error(`${name} is not there`);
  return {
    [`${name}, memory`]: { unit: 'MiB', value: daemon.mib },
    [`${name}, open files`]: { unit: 'files', value: daemon.files },
    [`${name}, threads`]: { unit: 'threads', value: daemon.threads },
  };
}

/**
 * Old workers live on as long as their connections do, and how many there are is chance: so what a process has, and not what all have
 * together. The master alone lives as long as the container.
 */
function haproxyFigures(host: string, uses: readonly ProcessUse[]): Sample['figures'] {
  const own = uses.filter(({ role }) => role.startsWith('haproxy'));
  const master = own.find(({ role }) => role === 'haproxy master');
  const workers = own.filter(({ role }) => role === 'haproxy worker');
  const name = `HAProxy on ${host}`;
  return {
    [`${name}, processes`]: { unit: 'processes', value: own.length },
    // While it executes itself anew, at a reload, it may not be seen.
    ...(master !== undefined && {
      [`${name}, memory of the master`]: { unit: 'MiB', value: master.mib },
      [`${name}, open files of the master`]: { unit: 'files', value: master.files },
    }),
    [`${name}, memory of the largest worker`]: { unit: 'MiB', value: Math.max(0, ...workers.map(({ mib }) => mib)) },
    [`${name}, most open files of a worker`]: {
      unit: 'files',
      value: Math.max(0, ...workers.map(({ files }) => files)),
    },
  };
}

export function seriesOf(samples: readonly Sample[]): Series[] {
  const names = new Map(
    samples.flatMap(({ figures }) => Object.entries(figures).map(([name, { unit }]) => [name, unit])),
  );
  return [...names].map(([name, unit]) => ({
    name,
    unit,
    points: samples.flatMap(({ atMs, figures }) => {
      const figure = figures[name];
      return figure === undefined ? [] : [{ atMs, value: figure.value }];
    }),
  }));
}
