import { Option } from 'commander';
import {
  defaultPolicy,
  formatPortRanges,
  parsePortMap,
  parsePortRanges,
  parseServicePatterns,
  type ClientPolicy,
} from '../core/haproxy/client-policy.js';
import { parseNetworks, type Network } from '../core/networks.js';
import { parseZone } from '../core/attributes.js';
import { accept, reject, type Parsed } from '../core/result.js';
import { limitOptions, type LimitSettings } from './limit-settings.js';
import { by } from './options.js';
import { signersOption, type SignersSettings } from './signers-file.js';

/** What this host serves, on which ports, how much, and whom it believes. */
export interface PolicySettings extends LimitSettings, SignersSettings {
  readonly services?: NonNullable<ClientPolicy['services']>;
  readonly denyServices: ClientPolicy['denyServices'];
  readonly ports: ClientPolicy['ports'];
  readonly denyPorts: ClientPolicy['denyPorts'];
  readonly map: ClientPolicy['map'];
  readonly networks?: readonly Network[];
  readonly zone?: string;
  readonly zoneThreshold: number;
}

export function policyOptions(): Option[] {
  const { denyServices, ports, denyPorts, map, zoneThreshold } = defaultPolicy;
  return [
    new Option(
      '--services <names>',
      'serve only these services; * stands for any letters, ? for one; separated by commas (default: *)',
    )
      .env('SERVICES')
      .argParser(by(parseServicePatterns)),
    new Option('--deny-services <names>', 'services that are not served, in the same form')
      .env('DENY_SERVICES')
      .argParser(by(parseServicePatterns))
      .default(denyServices, 'none'),
    new Option('--ports <ports>', 'ports that registrations may open here, like 80,443,8000-8999')
      .env('PORTS')
      .argParser(by(parsePortRanges))
      .default(ports, 'all'),
    new Option('--deny-ports <ports>', 'ports that they may not open, in the same form')
      .env('DENY_PORTS')
      .argParser(by(parsePortRanges))
      .default(denyPorts, formatPortRanges(denyPorts)),
    new Option(
      '--map <mappings>',
      'other ports on this host: SERVICE=PORT or SERVICE:SERVICE PORT=PORT, separated by commas',
    )
      .env('MAP')
      .argParser(by(parsePortMap))
      .default(map, 'none'),
    new Option(
      '--networks <networks>',
      'networks in which endpoints may be, like 10.0.0.0/8,2001:db8::/32; loopback, link-local and multicast only if named themselves (default: all others)',
    )
      .env('NETWORKS')
      .argParser(by(parseNetworks)),
    signersOption(),
    new Option(
      '--zone <zone>',
      'zone of this host: endpoints of other zones are used only when too few of it take traffic',
    )
      .env('ZONE')
      .argParser(by(parseZone)),
    new Option(
      '--zone-threshold <number>',
      'how many endpoints of the zone must take traffic for the others to be backups',
    )
      .env('ZONE_THRESHOLD')
      .argParser(by(parseThreshold))
      .default(zoneThreshold),
    ...limitOptions(),
  ];
}

export function policyOf({ services, networks, zone, ...policy }: PolicySettings): ClientPolicy {
  const { denyServices, ports, denyPorts, map, zoneThreshold } = policy;
  return {
    services: services ?? null,
    denyServices,
    ports,
    denyPorts,
    map,
    networks: networks ?? null,
    zone: zone ?? null,
    zoneThreshold,
  };
}

function parseThreshold(text: string): Parsed<number> {
  const number = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0;
  return number > 0 ? accept(number) : reject('must be a number from 1 to 9999');
}
