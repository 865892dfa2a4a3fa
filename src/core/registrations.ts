import { defaultAttributes } from './attributes.js';
import { withdrawnWithin } from './withdrawn-within.js';
import { containerNamedBy, shortIdOf, type ContainerPort, type ContainerSnapshot } from './container.js';
import { formatValue, maxOwnBytes } from './keyspace.js';
import type { Misread } from './found.js';
import { metadataOf, type Metadata, type PortMetadata } from './metadata.js';
import { serviceNameOf, type Naming } from './naming.js';
import { addressOf, type AddressPolicy } from './port-address.js';
import type { RegistrationLimits } from './registration-limits.js';
import type { Registration } from './service.js';
import { whyNoPort, whyNot, whyNotPort, whyTooMany, type ContainerPolicy } from './why-not.js';
import { doubtfulSkip, skip, type Skip } from './skip.js';

export interface RegistrationPolicy extends AddressPolicy, ContainerPolicy {
  /** Zone of this host; null where zones do not matter. */
  readonly zone: string | null;
  /** For containers that do not name their service themselves. */
  readonly naming: Naming;
  readonly limits: RegistrationLimits;
}

/** A container, or one port of it, that is left out. */
export interface Skipped extends Omit<Skip, 'ok'> {
  readonly containerPort: string | null;
}

export interface Registrations {
  readonly registrations: readonly Registration[];
  readonly skipped: readonly Skipped[];
  /** What of its labels and variables could not be understood; the defaults hold instead. */
  readonly misread: readonly Misread[];
  /** Ports that are beyond the limit. */
  readonly portsBeyond: number;
}

/** How a container is now, beside what Docker tells of it. */
export interface Circumstances {
  /** Its stop was announced: its endpoints drain until it has died. */
  readonly stopping: boolean;
  /** When what led to the look happened to it, ms since 1970; null where it is not known, or of no matter. */
  readonly eventAtMs: number | null;
  /** The container whose network it shares; null where that does not run, or where it shares none. */
  readonly networkOwner: ContainerSnapshot | null;
}

interface OpenPort {
  readonly service: string;
  readonly containerPort: number;
  readonly address: Registration['address'];
  readonly metadata: PortMetadata;
}

/** What one container contributes. */
export function registrationsOf(
  container: ContainerSnapshot,
  policy: RegistrationPolicy,
  { stopping, eventAtMs, networkOwner }: Circumstances,
): Registrations {
  const metadata = metadataOf(container);
  const whole = whyNot(container, metadata, policy) ?? whyNoPort(container, metadata, networkOwner);
  if (whole !== null) return { registrations: [], skipped: [skippedOf(null, whole)], misread: [], portsBeyond: 0 };

  const misread = new Map<string, Misread>();
  const note = (wrong: readonly Misread[]): void => {
    for (const one of wrong) misread.set(one.source, one);
  };
  const named = serviceNameOf(container, policy.naming);
  const skipped: Skipped[] = [];
  const open: OpenPort[] = [];
  // Who has named the service wants it to be there.
  const isUnheard = metadata.isMeant && container.ports.every(({ published }) => published.length === 0);
  const ports = portsOf(container, metadata, networkOwner);
  const most = policy.limits.ports;
  const portsBeyond = (networkOwner === null ? container.beyond.ports : 0) + Math.max(0, ports.length - most);
  if (portsBeyond > 0) skipped.push(skippedOf(null, whyTooMany(portsBeyond, most)));
  for (const port of ports.slice(0, most)) {
    const { containerPort } = port;
    const { metadata: own, misread: wrong } = metadata.of(containerPort);
    note(wrong);
    const service = own.name ?? named;
    const whyNotThis = whyNotPort(port, own);
    const address = whyNotThis ?? addressOf(port, networkOwner ?? container, policy);
    if (!address.ok) skipped.push(skippedOf(port, { ...address, isDoubtful: address.isDoubtful || isUnheard }));
    else if (!service.ok)
      skipped.push(
        skippedOf(
          port,
          (own.name === null ? skip : doubtfulSkip)(
            'name',
            service.reason,
            'name it by the label SERVICE_NAME: letters, digits and "-", "_", "."',
          ),
        ),
      );
    else open.push({ service: service.value, containerPort, address: address.value, metadata: own });
  }

  const ids = new Set<string>();
  const registrations = open.map((port) => {
    const key = (id: string): string => `${port.service}/${id}`;
    const { registration, misread: wrong } = registrationOf(container, {
      port,
      zone: policy.zone,
      several: open.length > 1,
      isTaken: (id) => ids.has(key(id)),
    });
    ids.add(key(registration.id));
    note(wrong);
    return { ...registration, eventAtMs, ...(stopping && { state: 'drain' as const }) };
  });
  return { registrations, skipped, misread: [...misread.values()], portsBeyond };
}

/** Of a container that shares another's network, that one has the ports which it exposes, or has settings for. */
function portsOf(
  { ports }: ContainerSnapshot,
  metadata: Metadata,
  networkOwner: ContainerSnapshot | null,
): readonly ContainerPort[] {
  if (networkOwner === null) return ports;
  const own = new Set(ports.filter(({ protocol }) => protocol === 'tcp').map(({ containerPort }) => containerPort));
  return [...new Set([...own, ...metadata.ports])]
    .sort((a, b) => a - b)
    .map((containerPort) => {
      const there = networkOwner.ports.find((port) => port.containerPort === containerPort && port.protocol === 'tcp');
      return there ?? { containerPort, protocol: 'tcp', published: [] };
    });
}

function skippedOf(port: ContainerPort | null, { kind, reason, mend, isDoubtful }: Skip): Skipped {
  const containerPort = port === null ? null : `${String(port.containerPort)}/${port.protocol}`;
  return { containerPort, kind, reason, mend, isDoubtful };
}

/**
 * @param zone of the host
 * @param several the container has other registered ports too
 * @param isTaken one of them has this id
 */
function registrationOf(
  container: ContainerSnapshot,
  {
    port,
    zone,
    several,
    isTaken,
  }: {
    readonly port: OpenPort;
    readonly zone: string | null;
    readonly several: boolean;
    readonly isTaken: (id: string) => boolean;
  },
): { registration: Registration; misread: Misread[] } {
  const { service, containerPort, address, metadata } = port;
  const { attributes, others, servicePort } = metadata;
  const misread: Misread[] = [];
  const given = metadata.id;
  const [own, meant] = [shortIdOf(container.id), given === null ? null : containerNamedBy(given.value)];
  // It would overwrite the registration of that container, on whatever host it runs.
  const isAnothers = meant !== null && meant !== own;
  const id = isAnothers ? null : given;
  if (isAnothers && given !== null) {
    const allowed = `an id that does not look like that of a container: 12 hex digits, or ${own}, which is that of ${container.name} itself`;
    misread.push({ ...given, allowed });
  }
  const base = id?.value ?? own;
  const healthcheck = withdrawnWithin(container, port);
  misread.push(...healthcheck.misread);
  const mayHavePort = servicePort?.forPort === true || !several;
  if (servicePort !== null && !mayHavePort)
    misread.push({ ...servicePort, allowed: 'SERVICE_<port>_PORT, because the container has several ports' });
  const isDouble = id?.forPort === true && isTaken(id.value);
  if (isDouble) misread.push({ ...id, allowed: 'an id that no other port of the container has' });
  const registration: Registration = {
    ...defaultAttributes,
    zone,
    ...attributes,
    healthcheckMs: healthcheck.ms,
    service,
    id: (several && id?.forPort !== true) || isDouble ? `${base}:${String(containerPort)}` : base,
    address,
    servicePort: mayHavePort ? (servicePort?.number ?? containerPort) : containerPort,
    eventAtMs: null,
    others,
  };
  // It must have room for the word that its container stops, and when, and for a signature: to turn that on drops nothing.
  const longest = formatValue({ ...registration, state: 'drain', eventAtMs: 0 });
  if (Buffer.byteLength(longest) <= maxOwnBytes) return { registration, misread };
  misread.push({
    source: 'its SERVICE_ labels and variables',
    value: `${String(others.size)} attributes and ${String(registration.tags.length)} tags`,
    allowed: `as much as fits into ${String(maxOwnBytes)} bytes with all else; no tag and none of these attributes is registered`,
  });
  return { registration: { ...registration, others: new Map(), tags: [] }, misread };
}
