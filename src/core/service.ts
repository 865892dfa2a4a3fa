import type { Address } from './address.js';
import { accept, quoted, reject, type Parsed } from './result.js';

/** `drain`: the container's stop was announced; requests under way finish, no new ones are sent. */
export type EndpointState = 'ready' | 'drain';

/** How HAProxy speaks to the service; belongs to the listener. */
export type Mode = 'tcp' | 'http';

export const balances = ['roundrobin', 'leastconn', 'source', 'random'] as const;
export type Balance = (typeof balances)[number];

/** What an instance asks of its listener. Where instances disagree, the newest registration decides. */
export interface ListenerAttributes {
  readonly mode: Mode;
  readonly balance: Balance;
  /** Path of an HTTP check, or null for a layer-4 check. */
  readonly check: string | null;
}

/** One endpoint's record in etcd: what a client host must know to send traffic there. */
export interface Registration extends ListenerAttributes {
  readonly service: string;
  /** Container id, with `:port` where the container has several registered ports; or what another tool wrote. */
  readonly id: string;
  readonly address: Address;
  /** The port on which clients reach the service, on every client host. */
  readonly servicePort: number;
  /** Share of the traffic relative to the others, 1 to 256. */
  readonly weight: number;
  readonly state: EndpointState;
}

export const defaultAttributes = {
  mode: 'tcp',
  balance: 'roundrobin',
  check: null,
  weight: 1,
  state: 'ready',
} as const satisfies Partial<Registration>;

// Both grammars are what HAProxy takes in the name of a proxy or server (letters, digits, `-`, `_`, `.`, `:`), narrowed:
// a service has no `:`, which joins service and port in the listener's name.
const serviceName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const id = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

export function parseServiceName(text: string): Parsed<string> {
  if (serviceName.test(text)) return accept(text);
  return reject(
    `${quoted(text)} is not a service name: 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit`,
  );
}

export function parseId(text: string): Parsed<string> {
  if (id.test(text)) return accept(text);
  return reject(
    `${quoted(text)} is not an id: 1 to 128 letters, digits, ".", "_", ":" or "-", starting with a letter or digit`,
  );
}
