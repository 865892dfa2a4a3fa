import { Option } from 'commander';
import {
  defaultPolicy,
  formatPortRanges,
  parsePortMap,
  parsePortRanges,
  parseServicePatterns,
  type ClientPolicy,
} from '../core/haproxy/client-policy.js';
import { by } from './options.js';

/** What this host serves, and on which ports. */
export interface PolicySettings {
  readonly services?: NonNullable<ClientPolicy['services']>;
  readonly denyServices: ClientPolicy['denyServices'];
  readonly ports: ClientPolicy['ports'];
  readonly denyPorts: ClientPolicy['denyPorts'];
  readonly map: ClientPolicy['map'];
}

export function policyOptions(): Option[] {
  const { denyServices, ports, denyPorts, map } = defaultPolicy;
  return [
    new Option(
      '--services <names>',
      'serve only these services; * stands for any letters, ? for one; separated by commas',
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
  ];
}

export function policyOf({ services, denyServices, ports, denyPorts, map }: PolicySettings): ClientPolicy {
  return { services: services ?? null, denyServices, ports, denyPorts, map };
}
