import { portState } from '../adapters/haproxy/port-probe.js';
import type { DiscoverStatus } from '../core/discover-status.js';
import type { Offer } from '../core/doctor/ports.js';
import type { BindAddress } from '../core/haproxy/bind.js';
import type { FixedBind } from '../core/haproxy/fixed-binds.js';
import type { Model } from '../core/haproxy/model.js';
import type { DiscoverSettings } from './discover-settings.js';

export interface PortsKnown {
  readonly settings: DiscoverSettings;
  readonly fixed: readonly FixedBind[];
  /** Of what stands in etcd now; null where that can't be told. */
  readonly model: Model | null;
  /** Of the daemon that runs here; null where none answers. */
  readonly status: DiscoverStatus | null;
}

/** Whoever else has the port may not answer at all. */
const pageTimeoutMs = 3_000;

type Wanted = Omit<Offer, 'state'>;

/** All ports that this host offers, or should. */
export async function offersOf(known: PortsKnown, signal: AbortSignal): Promise<Offer[]> {
  const { settings } = known;
  const wanted: Wanted[] = [
    ...settings.bind.map((host) => ({
      name: 'services',
      bind: { host, port: 0 },
      setting: 'BIND',
      isOurs: false,
      isHaproxys: false,
    })),
    ...fixedOf(known),
  ];
  const offers = [
    ...(await statesOf(wanted)),
    ...(await metricsOffers(settings, 'docker_discover_', signal)),
    ...(await statusPageOffers(settings, signal)),
  ];
  const missing = new Set(offers.filter(({ state }) => state === 'no such address').map(({ bind }) => bind.host));
  const usable = settings.bind.filter((host) => !missing.has(host));
  return [...offers, ...(await statesOf(servicesOf(known, usable)))];
}

async function statesOf(wanted: readonly Wanted[]): Promise<Offer[]> {
  const offers: Offer[] = [];
  // One after the other: two of them may be one address.
  for (const one of wanted) offers.push({ ...one, state: await portState(one.bind) });
  return offers;
}

/** What the daemon could not have is among its problems. */
function fixedOf({ fixed, status }: PortsKnown): Wanted[] {
  const barred = new Set(status?.problems.map(({ key }) => key));
  const isRunning = status?.haproxy.running === true;
  return fixed.map(({ name, bind, setting }) => ({
    name,
    bind,
    setting,
    isOurs: isRunning && !barred.has(name),
    isHaproxys: isRunning,
  }));
}

/** @param prefix of the names of our metrics, by which they are known */
export function metricsOffers(
  { metricsBind }: Pick<DiscoverSettings, 'metricsBind'>,
  prefix: string,
  signal: AbortSignal,
): Promise<Offer[]> {
  const page = { name: 'metrics', setting: 'METRICS_BIND', path: '/metrics', mark: `\n${prefix}` };
  return pageOffers(metricsBind, page, signal);
}

function statusPageOffers({ statusBind }: DiscoverSettings, signal: AbortSignal): Promise<Offer[]> {
  const page = { name: 'status page', setting: 'STATUS_BIND', path: '/', mark: '<title>docker-discover</title>' };
  return pageOffers(statusBind, page, signal);
}

/** A page of the daemon itself, and what it is known by. */
interface OwnPage {
  readonly name: string;
  readonly setting: string;
  readonly path: string;
  readonly mark: string;
}

async function pageOffers(
  bind: BindAddress | 'none',
  { name, setting, path, mark }: OwnPage,
  signal: AbortSignal,
): Promise<Offer[]> {
  if (bind === 'none') return [];
  const text = await textAt(bind, path, AbortSignal.any([signal, AbortSignal.timeout(pageTimeoutMs)]));
  return statesOf([{ name, bind, setting, isOurs: text.includes(mark), isHaproxys: false }]);
}

async function textAt({ host, port }: BindAddress, path: string, signal: AbortSignal): Promise<string> {
  const at = host === '*' ? '127.0.0.1' : host.includes(':') ? `[${host === '::' ? '::1' : host}]` : host;
  try {
    const response = await fetch(`http://${at}:${String(port)}${path}`, { signal });
    return await response.text();
  } catch {
    // Nobody there, or somebody else.
    return '';
  }
}

/** A listener that the daemon has is open, in a HAProxy that runs. */
function servicesOf({ model, status }: Pick<PortsKnown, 'model' | 'status'>, hosts: readonly string[]): Wanted[] {
  const own = new Map(
    (status?.listeners ?? []).flatMap(({ service, port }) => (port === null ? [] : [[port, service]])),
  );
  const isRunning = status?.haproxy.running === true;
  const ports =
    model === null
      ? own
      : new Map(model.listeners.flatMap(({ service, port, isOpen }) => (isOpen ? [[port, service]] : [])));
  return [...ports].flatMap(([port, name]) =>
    hosts.map((host) => ({
      ...{ name, bind: { host, port }, setting: 'MAP' },
      ...{ isOurs: isRunning && own.has(port), isHaproxys: isRunning },
    })),
  );
}
