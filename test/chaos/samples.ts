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

/** Old workers live on as long as their connections do: so both all of them, and the largest alone. */
function haproxyFigures(host: string, uses: readonly ProcessUse[]): Sample['figures'] {
  const own = uses.filter(({ role }) => role.startsWith('haproxy'));
  const sum = (figure: (use: ProcessUse) => number): number => own.reduce((total, use) => total + figure(use), 0);
  const name = `HAProxy on ${host}`;
  return {
    [`${name}, processes`]: { unit: 'processes', value: own.length },
    [`${name}, memory of the largest process`]: { unit: 'MiB', value: Math.max(0, ...own.map(({ mib }) => mib)) },
    [`${name}, memory of all`]: { unit: 'MiB', value: sum(({ mib }) => mib) },
    [`${name}, open files of all`]: { unit: 'files', value: sum(({ files }) => files) },
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
