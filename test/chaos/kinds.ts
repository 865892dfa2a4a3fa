/** A kind of fault: whom it can hit, for how long, and what it takes away meanwhile. */
interface Kind {
  readonly targets: readonly Target[];
  readonly leastMs: number;
  readonly mostMs: number;
  /** Two faults never take the same thing at the same time. */
  readonly takes: (target: Target) => readonly Thing[];
}

export const backends = ['backend-1', 'backend-2'] as const;
export const clients = ['client', 'client-2'] as const;

export type BackendName = (typeof backends)[number];
export type ClientName = (typeof clients)[number];
export type Target = 'etcd' | 'backends' | BackendName | ClientName;

/**
 * What a fault may have for itself. `capacity`: the endpoints of a whole back-end host; while one host's are away, the other's
 * must stay. `register:HOST`: what docker-register needs on that host, its engine or its way to etcd.
 */
export type Thing = 'etcd' | 'capacity' | `register:${BackendName}` | `discover:${ClientName}`;

const registers = backends.map((host): Thing => `register:${host}`);
const registerOf = (target: Target): readonly Thing[] =>
  backends.filter((host) => host === target).map((host): Thing => `register:${host}`);
const discoverOf = (target: Target): readonly Thing[] =>
  clients.filter((host) => host === target).map((host): Thing => `discover:${host}`);
const etcd = { targets: ['etcd'], takes: (): readonly Thing[] => ['etcd'] } as const;
const register = { targets: backends, takes: registerOf } as const;
const discover = { targets: clients, takes: discoverOf } as const;
const wholeHost = {
  targets: backends,
  takes: (target: Target): readonly Thing[] => ['capacity', ...registerOf(target)],
} as const;
const atOnce = { leastMs: 0, mostMs: 0 } as const;

/** TTL of the registrations in a run: faults of many lengths lie on both sides of it. */
export const ttlMs = 5_000;

export const kinds = {
  /** SIGKILL, and started again. */
  'etcd-kill': { ...etcd, leastMs: 1_000, mostMs: 30_000 },
  /** SIGTERM, and started again. */
  'etcd-stop': { ...etcd, leastMs: 1_000, mostMs: 15_000 },
  /** SIGSTOP: its connections stay up, and nobody answers. */
  'etcd-freeze': { ...etcd, leastMs: 2_000, mostMs: 20_000 },
  /** Its cable is pulled: nothing is reset, nothing arrives. */
  'etcd-cut': { ...etcd, leastMs: 2_000, mostMs: 20_000 },
  /** The history before now is dropped: a watch that lags can't go on. */
  'etcd-compaction': { ...etcd, ...atOnce },
  /** By hand, with all keys of that host. */
  'lease-revoked': { targets: backends, takes: (target: Target) => ['etcd', ...registerOf(target)], ...atOnce },
  /** By hand, one key of that host. */
  'key-deleted': { targets: backends, takes: (target: Target) => ['etcd', ...registerOf(target)], ...atOnce },
  /** A host, or all at once, hears nothing from etcd; clients reach it as before. */
  'backend-without-etcd': { ...register, leastMs: 2_000, mostMs: 15_000 },
  'backends-without-etcd': { targets: ['backends'], takes: () => registers, leastMs: 7_000, mostMs: 15_000 },
  'client-without-etcd': { ...discover, leastMs: 2_000, mostMs: 15_000 },
  /** `docker kill`, then `docker start`. */
  'register-kill': { ...register, leastMs: 500, mostMs: 12_000 },
  /** All at once: every lease expires, and nobody has withdrawn anything. */
  'registers-kill': { targets: ['backends'], takes: () => registers, leastMs: 7_000, mostMs: 12_000 },
  /** `docker rm -f`, then `docker run`. */
  'register-upgrade': { ...register, ...atOnce },
  'register-freeze': { ...register, leastMs: 2_000, mostMs: 12_000 },
  /** The link of a back-end host is narrow (256 kbit/s, with a queue of up to 200 ms), and loses 5 % of what it receives. */
  'link-slow': { ...wholeHost, leastMs: 3_000, mostMs: 12_000 },
  'link-cut': { ...wholeHost, leastMs: 1_000, mostMs: 12_000 },
  /** dockerd gets SIGKILL; its containers live on until it starts again, and die then. */
  'engine-kill': { ...wholeHost, leastMs: 500, mostMs: 5_000 },
  /** dockerd gets SIGSTOP; its containers live on. */
  'engine-freeze': { ...register, leastMs: 1_000, mostMs: 10_000 },
  /** `docker kill`, then `docker start`; its HAProxy dies with it. */
  'discover-kill': { ...discover, leastMs: 0, mostMs: 5_000 },
  'discover-freeze': { ...discover, leastMs: 1_000, mostMs: 10_000 },
  /** SIGHUP: the template is read anew. */
  'discover-hup': { ...discover, ...atOnce },
  /** SIGKILL to HAProxy's worker. */
  'worker-kill': { ...discover, ...atOnce },
} as const satisfies Readonly<Record<string, Kind>>;

export type FaultKind = keyof typeof kinds;

export const faultKinds = Object.keys(kinds) as readonly FaultKind[];

export function kindOf(name: FaultKind): Kind {
  return kinds[name];
}
