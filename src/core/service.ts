import type { Address } from './address.js';
import type { Attributes } from './attributes.js';
import { accept, quoted, reject, type Parsed } from './result.js';

/** One endpoint's record in etcd: what a client host must know to send traffic there. */
export interface Registration extends Attributes {
  readonly service: string;
  /** Container id, with `:port` where the container has several registered ports; or what another tool wrote. */
  readonly id: string;
  readonly address: Address;
  /** The port on which clients reach the service, on every client host. */
  readonly servicePort: number;
  /** When what led to it happened to the container, ms since 1970 by its host's clock; null where nobody knows. */
  readonly eventAtMs: number | null;
  /** Attributes that mean nothing to the pair, for templates and other tools; by name. */
  readonly others: ReadonlyMap<string, string>;
}

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
