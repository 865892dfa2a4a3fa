import { formatBind, type BindAddress } from '../haproxy/bind.js';
import { counted, failed, fine, type Finding } from './finding.js';

/** What came of binding an address for a moment. */
export type PortState = 'free' | 'taken' | 'no such address' | 'forbidden';

export interface Offer {
  /** `stats page`, or the name of a listener. */
  readonly name: string;
  /** With port 0 for the host alone. */
  readonly bind: BindAddress;
  /** With which another can be chosen. */
  readonly setting: string;
  readonly state: PortState;
  /** Whoever has it is HAProxy or the daemon of this host. */
  readonly isOurs: boolean;
  /** HAProxy runs and opens it, who may have more rights: what it may not open is told of as not served. */
  readonly isHaproxys: boolean;
}

const check = 'ports';
const mostTold = 10;
const mostShown = 4;

/** One finding for each port that can't be had, or one for all. */
export function judgePorts(offers: readonly Offer[]): Finding[] {
  const faults = offers.flatMap((offer) => faultOf(offer) ?? []);
  if (faults.length > mostTold) {
    const more = `${counted(faults.length - mostTold, 'more port')} can't be had`;
    return [...faults.slice(0, mostTold), failed(check, more, 'docker-discover ls lists what is not served')];
  }
  if (faults.length > 0) return faults;
  if (offers.length === 0) return [];
  const ports = offers.filter(({ bind }) => bind.port !== 0);
  const ours = ports.filter(({ isOurs }) => isOurs);
  const shown = ports.slice(0, mostShown).map(({ name, bind }) => `${name} ${formatBind(bind)}`);
  const more = ports.length > shown.length ? ', ...' : '';
  return [
    fine(check, `${String(ports.length - ours.length)} free, ${String(ours.length)} ours: ${shown.join(', ')}${more}`),
  ];
}

function faultOf({ name, bind, setting, state, isOurs, isHaproxys }: Offer): Finding | null {
  const address = `${bind.port === 0 ? bind.host : formatBind(bind)} (${name})`;
  switch (state) {
    case 'free':
      return null;
    case 'taken':
      if (isOurs) return null;
      return failed(
        check,
        `${address} is taken by another process`,
        `free it (ss -ltnp tells who has it), or set ${setting}`,
      );
    case 'no such address':
      return failed(
        check,
        `${address}: this host has no such address`,
        `give ${setting} one that it has; where it comes later, set the sysctl net.ipv4.ip_nonlocal_bind`,
      );
    case 'forbidden':
      if (isHaproxys) return null;
      return failed(
        check,
        `${address} may not be opened`,
        'run as root, or with CAP_NET_BIND_SERVICE; or set the sysctl net.ipv4.ip_unprivileged_port_start on this host',
      );
    default:
      return state satisfies never;
  }
}
