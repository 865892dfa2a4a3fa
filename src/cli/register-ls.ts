import { formatAddress } from '../core/address.js';
import { recordOf } from '../core/catalog.js';
import { isOwnKey } from '../core/ownership.js';
import { signatureOf } from '../core/signature.js';
import type { Registry } from '../ports/registry.js';
import { asciiJson } from './discover-ls.js';
import { paintFor } from './paint.js';
import { formatTable } from './table.js';

export interface RegistrationsOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly hostIp: string;
  /** That of the daemon which runs here; null where none answers. */
  readonly lease: string | null;
  readonly json: boolean;
}

/** Prints what stands in etcd for this host, with the time that its lease has left. */
export async function printRegistrations({
  registry,
  prefix,
  hostIp,
  lease,
  json,
}: RegistrationsOptions): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  const { entries } = await registry.list(signal);
  // By its lease also what has an id or an address of its own.
  const own = entries.filter((entry) => entry.lease === lease || isOwnKey(prefix, hostIp, entry));
  const leases = new Map<string, number>();
  for (const { lease: id } of own)
    if (!leases.has(id)) leases.set(id, (await registry.leaseTime(id, signal))?.remainingMs ?? 0);

  const registrations = own.flatMap((entry) => {
    const record = recordOf(prefix, entry);
    if (record.kind !== 'endpoint') return [];
    const { service, id, address, servicePort, state } = record.endpoint;
    const ttlMs = leases.get(entry.lease) ?? 0;
    return [
      {
        service,
        id,
        address: formatAddress(address),
        port: servicePort,
        state,
        ttlMs,
        signedBy: signatureOf(entry.key, entry.value)?.by ?? null,
        key: entry.key,
        value: entry.value,
      },
    ];
  });
  if (json) {
    process.stdout.write(`${asciiJson(registrations)}\n`);
    return;
  }
  if (registrations.length === 0) {
    process.stdout.write(`nothing is registered for ${hostIp} under ${prefix}\n`);
    return;
  }
  const paint = paintFor(process.stdout, process.env);
  const isSigned = registrations.some(({ signedBy }) => signedBy !== null);
  const rows = registrations.map(({ service, id, address, port, state, ttlMs, signedBy }) => [
    service,
    id,
    address,
    String(port),
    paint(state === 'ready' ? 'good' : 'doubtful', state),
    `${String(Math.round(ttlMs / 1000))}s`,
    ...(isSigned ? [signedBy ?? '-'] : []),
  ]);
  const headings = ['SERVICE', 'ID', 'ADDRESS', 'SERVICE PORT', 'STATE', 'LEASE LEFT'];
  process.stdout.write(formatTable([...headings, ...(isSigned ? ['SIGNED BY'] : [])], rows, paint));
}
