/** What a registration may say beside where it is; what it does not say has the default that stands here. */
export interface Attributes {
  /** The port on which clients reach the service through a docker-discover. Default: the port of the address. */
  readonly servicePort: number;
  /** `drain`: it takes no new connections. Default: `ready`. */
  readonly state: 'ready' | 'drain';
  /** Share of the traffic relative to the others, 1 to 256. Default: 1. */
  readonly weight: number;
  /** It is for when no other endpoint takes traffic. Default: false. */
  readonly backup: boolean;
  /** Connections that it takes at a time; null: no limit, the default. */
  readonly maxconn: number | null;
  /** Version of the PROXY protocol by which it is told its client's address; null: none, the default. */
  readonly proxyProtocol: 'v1' | 'v2' | null;
  /** Milliseconds in which its share grows to the whole after it was down; null: none, the default. */
  readonly slowStartMs: number | null;
  /** Where it stands; null: not told, the default. */
  readonly zone: string | null;
  /** Default: none. */
  readonly tags: readonly string[];
  /** What it speaks. Default: `tcp`. */
  readonly mode: 'tcp' | 'http';
  /** Path of an HTTP check; null: a connection is check enough, the default. */
  readonly check: string | null;
  /** Status codes with which an HTTP check passes, like `200-299,401`; null: any below 400, the default. */
  readonly checkStatus: string | null;
  /**
   * Milliseconds within which who registered it takes it out after it began to fail what `check` asks; null: that is not promised, the
   * default.
   */
  readonly healthcheckMs: number | null;
  /** Milliseconds between two checks; null: as the proxy has it, the default. */
  readonly checkIntervalMs: number | null;
  /** Default: `roundrobin`. */
  readonly balance: 'roundrobin' | 'leastconn' | 'source' | 'random' | 'uri';
  /** `cookie`: a client stays with its endpoint; null: it does not, the default. */
  readonly sticky: 'cookie' | null;
  /** Host names for which an HTTP entrance leads here. Default: none. */
  readonly httpHosts: readonly string[];
  /** Path below which an HTTP entrance leads here; null: every path, the default. */
  readonly httpPath: string | null;
  /** Attributes of other names, which mean nothing to docker-register and docker-discover. Default: none. */
  readonly others: Readonly<Record<string, string>>;
}

/** One endpoint as it is registered. */
export interface Registration extends Attributes {
  readonly service: string;
  /** Which one of the service: the first 12 digits of the container's id, or whatever its writer chose. */
  readonly id: string;
  /** Where it answers: an IPv4 address, or an IPv6 address without brackets, and the port. */
  readonly address: { readonly host: string; readonly port: number };
}

/** A registration to write: the attributes that it does not name have their defaults. */
export type RegistrationInput = Pick<Registration, 'service' | 'id' | 'address'> & {
  readonly [Name in keyof Attributes]?: Attributes[Name] | undefined;
};

/** A key of etcd with its value. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** What stands under a key: a registration, or the one reason why it is none. */
export type Decoded =
  { readonly ok: true; readonly registration: Registration } | { readonly ok: false; readonly reason: string };

/** A registration that stands in etcd. */
export interface Endpoint extends Registration {
  readonly key: string;
  /** Its lease ended and nobody withdrew it: its host may be dead, or cut off from etcd only. See `staleMs`. */
  readonly stale: boolean;
}

export interface Service {
  readonly name: string;
  /** At least one; sorted by id. */
  readonly endpoints: readonly Endpoint[];
}

/** A key that is in no service, and the one reason. */
export interface Problem {
  readonly key: string;
  readonly reason: string;
}

/** All services with their endpoints at one moment. It never changes; what comes later is another catalog. */
export interface Catalog {
  /** Sorted by name. One that nothing has touched is the same object as in the catalog before. */
  readonly services: readonly Service[];
  /** Keys that break the grammar, and those whose address a newer key claims. */
  readonly problems: readonly Problem[];
}

/** Takes fields and a constant message; the loggers of pino and bunyan do. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface PrefixOption {
  /** Where the registrations stand in etcd. Default: `/backends`. */
  readonly prefix?: string | undefined;
}

export interface WatchOptions extends PrefixOption {
  /** The members of etcd, each as `host`, `host:port` or a URL; the port is 2379 where none is named. */
  readonly etcdHosts: readonly string[];
  /** Ends the watch, and with it the loop over its catalogs. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many milliseconds an endpoint is kept, as `stale`, whose lease ended while nobody withdrew it. Default: 0, not at
   * all, as is right for who can't tell by checks of their own whether it still answers.
   */
  readonly staleMs?: number | undefined;
  /** Told when etcd is away and when it is back, among other things. Default: nobody. */
  readonly logger?: Logger | undefined;
}
