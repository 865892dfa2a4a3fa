import { kindsOf, listenerCheckOf, withKinds } from '../../src/core/haproxy/check-kind.js';
import { basePace, paceOf, type CheckLoad, type CheckPace } from '../../src/core/haproxy/check-pace.js';
import { formatDuration } from '../../src/core/duration.js';
import { serverWith } from '../../test/unit/support/models.js';
import { haproxyPath } from '../../test/lab/haproxy.js';
import { publish } from '../report.js';
import { checked, kindAt, listenerOf, windowMs, type Kind, type Measured } from './check-run.js';
import { startCheckedEndpoint } from './checked-endpoint.js';
import { draw } from './curves.js';

const sizes = [10, 100, 1_000, 10_000];
const shown = { tcp: 'layer 4', http: 'HTTP', docker: 'HTTP with a HEALTHCHECK' } as const;
const kinds = ['tcp', 'http', 'docker'] as const;
/** As docs/settings.md has them. */
const bounds = { checkRate: 25, mostMs: 30_000 };

interface Row extends Measured {
  readonly size: number;
  readonly kind: Kind;
  readonly pace: CheckPace;
}

/**
 * What checks cost an endpoint by the number of client hosts, and a client host by the number of endpoints: with fixed intervals, and
 * with those that adapt. A HAProxy with as many servers at one endpoint stands for all client hosts, and for one with as many endpoints.
 */
export async function checks(): Promise<void> {
  const binary = await haproxyPath(console.log);
  const endpoint = await startCheckedEndpoint();
  const known = new Map<string, Measured>();
  const measure = async (size: number, kind: Kind, pace: CheckPace): Promise<Row> => {
    const key = [size, kind === 'docker' ? 'http' : kind, kindAt(kind, pace), intervalOf({ kind, pace })].join();
    const measured = known.get(key) ?? (await checked({ binary, endpoint, size, kind, pace }));
    known.set(key, measured);
    return { size, kind, pace, ...measured };
  };
  const before: Row[] = [];
  const byHosts: Row[] = [];
  const byEndpoints: Row[] = [];
  try {
    for (const kind of kinds) {
      for (const size of sizes) {
        before.push(await measure(size, kind, basePace));
        const fleet = { clientHosts: size, servers: { tcp: 10, http: 10 } };
        byHosts.push(await measure(size, kind, adaptedTo(kind, fleet)));
        const host = { clientHosts: 1, servers: { tcp: 0, http: 0, [kind === 'docker' ? 'http' : kind]: size } };
        byEndpoints.push(await measure(size, kind, adaptedTo(kind, host)));
      }
    }
  } finally {
    await endpoint.close();
  }
  const rowOf = (
    after: Row,
    cpu: 'endpointCpu' | 'haproxyCpu',
    of: string,
  ): Parameters<typeof publish>[0]['rows'][0] => {
    const fixed = before.find(({ size, kind }) => size === after.size && kind === after.kind) ?? after;
    const { deadWithinMs, frozenWithinMs } = foundWithin(after);
    return {
      what: `${shown[after.kind]}, ${after.size.toLocaleString('en')} ${of}`,
      figures: {
        'interval before, s': intervalOf(fixed) / 1000,
        'checks/s': fixed.perSecond,
        'heard/s': fixed.heardPerSecond,
        'CPU, %': fixed[cpu],
        'failed, %': 100 * fixed.failed,
        'dead found within, s': foundWithin(fixed).deadWithinMs / 1000,
        'interval after, s': intervalOf(after) / 1000,
        'checks/s after': after.perSecond,
        'CPU, % after': after[cpu],
        'failed, % after': 100 * after.failed,
        'over HTTP after': kindAt(after.kind, after.pace) === 'http' ? 1 : 0,
        'dead found within, s after': deadWithinMs / 1000,
        ...(frozenWithinMs !== null && { 'frozen found within, s after': frozenWithinMs / 1000 }),
      },
    };
  };
  await publish({
    name: 'scale-checks',
    title: 'checks: what they cost an endpoint, and a client host',
    unit: 'per row',
    rows: [
      ...byHosts.map((row) => rowOf(row, 'endpointCpu', 'client hosts, CPU of one endpoint')),
      ...byEndpoints.map((row) => rowOf(row, 'haproxyCpu', 'endpoints, CPU of HAProxy')),
    ],
    remarks: [
      `over ${formatDuration(windowMs)}; the endpoint is a small Node service, HAProxy has the default template`,
      'found within: of an endpoint that nobody uses, at the latest; with traffic, what is dead is out after three connections',
      'HTTP with a HEALTHCHECK: of 24 s (--interval=5s --timeout=3s), which itself is not counted',
    ],
    samples: { before, byHosts, byEndpoints },
  });
  const line = (
    what: string,
    rows: readonly Row[],
    { kind, figure }: { readonly kind: Kind; readonly figure: 'perSecond' | 'endpointCpu' | 'haproxyCpu' },
  ): { what: string; points: [number, number][] } => ({
    what,
    points: rows.filter((row) => row.kind === kind).map((row) => [row.size, row[figure]]),
  });
  await draw({
    name: 'scale-checks',
    title: 'Checks that one endpoint gets',
    along: 'client hosts',
    unit: 'a second',
    series: [
      line('HTTP, fixed', before, { kind: 'http', figure: 'perSecond' }),
      line('HTTP, adapted', byHosts, { kind: 'http', figure: 'perSecond' }),
      line('HEALTHCHECK, adapted', byHosts, { kind: 'docker', figure: 'perSecond' }),
      line('layer 4, fixed', before, { kind: 'tcp', figure: 'perSecond' }),
      line('layer 4, adapted', byHosts, { kind: 'tcp', figure: 'perSecond' }),
    ],
  });
  await draw({
    name: 'scale-checks-cpu',
    title: 'CPU for checks',
    along: 'client hosts of an endpoint, endpoints of a HAProxy',
    unit: '% of a core',
    series: [
      line('endpoint, HTTP, fixed', before, { kind: 'http', figure: 'endpointCpu' }),
      line('endpoint, HTTP, adapted', byHosts, { kind: 'http', figure: 'endpointCpu' }),
      line('endpoint, HEALTHCHECK', byHosts, { kind: 'docker', figure: 'endpointCpu' }),
      line('HAProxy, HTTP, fixed', before, { kind: 'http', figure: 'haproxyCpu' }),
      line('HAProxy, HTTP, adapted', byEndpoints, { kind: 'http', figure: 'haproxyCpu' }),
      line('HAProxy, HEALTHCHECK', byEndpoints, { kind: 'docker', figure: 'haproxyCpu' }),
      line('HAProxy, layer 4, fixed', before, { kind: 'tcp', figure: 'haproxyCpu' }),
      line('HAProxy, layer 4, adapted', byEndpoints, { kind: 'tcp', figure: 'haproxyCpu' }),
    ],
  });
}

/** As a docker-discover comes to it. */
function adaptedTo(kind: Kind, load: CheckLoad): CheckPace {
  const pace = paceOf(load, bounds, null);
  return withKinds(pace, kindsOf([listenerOf(kind, [serverWith()])], pace, true).wanted);
}

function intervalOf({ kind, pace }: Pick<Row, 'kind' | 'pace'>): number {
  return pace[`${kindAt(kind, pace)}Ms`];
}

function foundWithin({ kind, pace }: Row): ReturnType<typeof listenerCheckOf> {
  return listenerCheckOf(listenerOf(kind, [serverWith()]), pace);
}
