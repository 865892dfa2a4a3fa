import { Option } from 'commander';
import { parseZone } from '../core/attributes.js';
import { parseChangeRate } from '../core/change-rate.js';
import { parseNaming, type Naming } from '../core/naming.js';
import { defaultRegistrationLimits, type RegistrationLimits } from '../core/registration-limits.js';
import type { RegistrationPolicy } from '../core/registrations.js';
import { accept, quoted, reject, type Parsed } from '../core/result.js';
import { dockerOptions, type DockerSettings } from './docker-settings.js';
import { limitOption } from './limit-settings.js';
import { parseHostIp, type HostIp } from './host-ip.js';
import { signingKeyOption, type SigningSettings } from './signing-key.js';
import {
  by,
  durationOption,
  metricsBindOption,
  parseYesNo,
  quietPeriodOptions,
  sharedOptions,
  type QuietSettings,
  type SharedSettings,
} from './options.js';

export interface RegisterSettings extends SharedSettings, QuietSettings, DockerSettings, SigningSettings {
  readonly hostIp?: HostIp;
  readonly ttl: number;
  readonly resync: number;
  readonly nameBy: Naming;
  readonly onlyLabel?: NonNullable<RegistrationPolicy['onlyLabel']>;
  readonly internal: NonNullable<RegistrationPolicy['internal']> | 'no';
  readonly zone?: string;
  readonly changeRate: number;
  readonly maxRegistrations: number;
  readonly maxPorts: number;
  readonly maxLabelBytes: number;
  readonly withdrawOnExit: boolean;
}

export function registerOptions(): Option[] {
  const [etcdHost, ...others] = sharedOptions('docker-register');
  if (etcdHost === undefined) throw new RangeError('no option for etcd');
  return [
    new Option(
      '--host-ip <address>',
      'where client hosts reach this host: an address, an interface such as eth0, or auto, the address of the default route (required)',
    )
      .env('HOST_IP')
      .argParser(by(parseHostIp)),
    etcdHost,
    ...dockerOptions(),
    new Option(
      '--name-by <naming>',
      'how services are named: image, repository, compose-service, compose-project, label:NAME, env:NAME, or a template',
    )
      .env('NAME_BY')
      .argParser(by(parseNaming))
      .default({ kind: 'image' } satisfies Naming, 'image'),
    new Option('--only-label <label>', 'register only containers with this label, given as NAME or NAME=VALUE')
      .env('ONLY_LABEL')
      .argParser(by(parseOnlyLabel)),
    new Option(
      '--internal [network]',
      'register the containers’ own addresses and ports, where client hosts reach those: yes, or the name of the network to take',
    )
      .env('INTERNAL')
      .argParser(by(parseInternal))
      .preset('yes')
      .default('no'),
    new Option('--zone <zone>', 'zone of this host: client hosts of the same zone go to its endpoints first')
      .env('ZONE')
      .argParser(by(parseZone)),
    signingKeyOption(),
    ...durations().map(durationOption),
    ...quietPeriodOptions(5, 100),
    new Option(
      '--change-rate <number>',
      'changes per second that one container may make on average (it comes, it goes; ten in a row are free); one that makes more is kept out meanwhile; 0 is no limit',
    )
      .env('CHANGE_RATE')
      .argParser(by(parseChangeRate))
      .default(1),
    ...registrationLimitOptions(),
    new Option(
      '--withdraw-on-exit [yes|no]',
      'remove the registrations at the end; otherwise they stay for the TTL, so that an upgrade is not noticed',
    )
      .env('WITHDRAW_ON_EXIT')
      .argParser(by(parseYesNo))
      .preset('yes')
      .default(false, 'no'),
    metricsBindOption(9935),
    ...others,
  ];
}

/** @param hostIp the address that HOST_IP stands for */
export function registrationPolicyOf(settings: RegisterSettings, hostIp: string): RegistrationPolicy {
  const { internal, nameBy, zone = null, onlyLabel = null } = settings;
  const limits = registrationLimitsOf(settings);
  return { hostIp, internal: internal === 'no' ? null : internal, naming: nameBy, zone, onlyLabel, limits };
}

export function registrationLimitsOf({
  maxRegistrations,
  maxPorts,
  maxLabelBytes,
}: RegisterSettings): RegistrationLimits {
  return { registrations: maxRegistrations, ports: maxPorts, labelBytes: maxLabelBytes };
}

function registrationLimitOptions(): Option[] {
  const { registrations, ports, labelBytes } = defaultRegistrationLimits;
  return [
    limitOption({
      flags: '--max-registrations',
      env: 'MAX_REGISTRATIONS',
      description: 'most registrations of this host; beyond it those of the containers that run the longest stay',
      initial: registrations,
    }),
    limitOption({
      flags: '--max-ports',
      env: 'MAX_PORTS',
      description: 'most ports of one container that are registered, from the lowest',
      initial: ports,
    }),
    limitOption({
      flags: '--max-label-bytes',
      env: 'MAX_LABEL_BYTES',
      description: 'most bytes of labels and environment variables of one container; one that has more is left out',
      initial: labelBytes,
    }),
  ];
}

function durations(): Parameters<typeof durationOption>[0][] {
  return [
    {
      flags: '--ttl',
      env: 'TTL',
      description: 'time after which etcd forgets this host when it is silent',
      defaultMs: 15_000,
      leastMs: 3_000,
      mostMs: 3_600_000,
    },
    {
      flags: '--resync',
      env: 'RESYNC',
      description: 'time between two looks at everything, should an event be missed',
      defaultMs: 60_000,
      leastMs: 1_000,
      mostMs: 3_600_000,
    },
  ];
}

/** `NAME` or `NAME=VALUE`; a value may have a `=` in it. */
export function parseOnlyLabel(text: string): Parsed<NonNullable<RegistrationPolicy['onlyLabel']>> {
  const at = text.indexOf('=');
  const name = at === -1 ? text : text.slice(0, at);
  if (/^\S+$/.test(name)) return accept({ name, value: at === -1 ? null : text.slice(at + 1) });
  return reject(`${quoted(text)} is not a label: give NAME or NAME=VALUE`);
}

/** `yes`, `no`, or the name of a network of Docker's. Commander takes null for an option that was not given. */
export function parseInternal(text: string): Parsed<RegisterSettings['internal']> {
  const yesNo = parseYesNo(text);
  if (yesNo.ok) return accept(yesNo.value ? { network: null } : 'no');
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text)) return accept({ network: text });
  return reject('must be yes, no, or the name of a network');
}
