import { isLoopback } from '../address.js';
import { failed, fine, notChecked, warning, type Finding } from './finding.js';

export interface HostIpFacts {
  readonly ip: string;
  /** Addresses that are seen from here, by interface. */
  readonly own: ReadonlyMap<string, readonly string[]>;
  /** Whose network is seen: null in a container of which that is not known. */
  readonly network: 'of the host' | 'of a container' | null;
}

export function judgeHostIp({ ip, own, network }: HostIpFacts): Finding {
  const check = 'HOST_IP';
  const named = [...own].find(([, addresses]) => addresses.includes(ip))?.[0];
  const others = [...own].flatMap(([name, addresses]) =>
    addresses.filter((address) => !isLoopback(address)).map((address) => `${address} (${name})`),
  );
  const mend = `give the address at which client hosts reach this host${network === 'of the host' && others.length > 0 ? `; seen from here: ${others.join(', ')}` : ''}`;
  if (isLoopback(ip))
    return warning(
      check,
      `${ip} is loopback: only this host itself reaches its services, and docker-discover uses them only if NETWORKS names it`,
      mend,
    );
  if (network === 'of the host')
    return named === undefined
      ? warning(check, `${ip} is no address of this host; that is right where a NAT leads here`, mend)
      : fine(check, `${ip}, an address of ${named}`);
  if (named !== undefined && network === 'of a container')
    return failed(check, `${ip} is the address of this container, and not that of its host`, mend);
  return notChecked(check, `${ip}; the addresses of the host are not seen from this container`);
}
