import { copyOf } from '../adapters/certificate-dir.js';
import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import { createInterfaces } from '../adapters/interfaces.js';
import { proxyPathsOf } from '../adapters/haproxy/paths.js';
import { sizedRecordOf } from '../core/entry-size.js';
import { catalogOf } from '../core/catalog-index.js';
import type { Certificate } from '../core/certificates.js';
import { beyondOf, problemListsOf } from '../core/discover-status.js';
import { admittedBy, allAdmitted, whyBarredBy, type Admitted } from '../core/haproxy/client-policy.js';
import { fixedBindsOf, hasEntrance, type FixedName } from '../core/haproxy/fixed-binds.js';
import { firstPaceOf } from '../core/haproxy/check-kind.js';
import { createLoopGuard } from '../core/haproxy/loop-guard.js';
import { modelOf, type Model } from '../core/haproxy/model.js';
import { servableBy } from '../core/haproxy/servable.js';
import { viewOf, type View } from '../core/haproxy/view.js';
import { keyspaceOf, printableKey } from '../core/keyspace.js';
import { listKeys, type ListedKeys } from '../daemon/listed-keys.js';
import { paceBoundsOf } from './check-settings.js';
import { countClientHosts } from './discover-client-hosts.js';
import { certificateStoreOf, copiesIn, readCertificates } from './discover-certificates.js';
import { proxySettingsOf, reservedPorts, type DiscoverSettings } from './discover-settings.js';
import { etcdOf } from './etcd-settings.js';
import { execOf } from './exec-settings.js';
import { limitsOf } from './limit-settings.js';
import { policyOf } from './policy-settings.js';
import { signersFileOf } from './signers-file.js';

/** What stands in etcd and in CERTS now, and what comes of it. */
export interface Reading {
  readonly model: Model;
  readonly view: View;
  readonly certificates: readonly Certificate[];
  /** What is left out, and why. */
  readonly remarks: readonly string[];
}

/** What a template gets; what is left out, and why, on standard error. */
export async function viewOfNow(settings: DiscoverSettings): Promise<Pick<Reading, 'view' | 'certificates'>> {
  const reading = await readNow(settings);
  for (const remark of reading.remarks) process.stderr.write(`${remark}\n`);
  return reading;
}

export async function readNow(settings: DiscoverSettings): Promise<Reading> {
  const { prefix, runDir } = settings;
  const policy = policyOf(settings);
  const isOurs = execOf(settings) === null;
  const proxySettings = await proxySettingsOf(settings, proxyPathsOf(runDir));
  const { usable, unusable, expired } = await readCertificates(certificateStoreOf(settings), settings);
  const trust = (await signersFileOf(settings))?.trust() ?? null;
  const limits = limitsOf(settings);
  const fixed = isOurs ? fixedBindsOf(proxySettings) : [];
  const reserved = reservedPorts(settings, fixed);
  const host = { policy, reserved, hasEntrance: isOurs ? hasEntrance(proxySettings) : true };
  const { entries, admission, clientHosts } = await listNow(settings);
  const catalog = catalogOf(
    [...entries.values()].map((entry) => sizedRecordOf(entry, { prefix, trust, limits })),
    limits,
    servableBy(host),
  );
  const whyBarred = whyBarredBy(policy, reserved);
  const decide = (admitted: Admitted): Model =>
    modelOf({
      ...admitted,
      held: [],
      heldRevision: 0,
      hasEntrance: host.hasEntrance,
      whyBarred,
      nowMs: 0,
      lingerMs: 0,
      mostListeners: limits.listeners,
    });
  const admit = admittedBy(policy);
  const admitted = allAdmitted(catalog.services.map(admit));
  const first = decide(admitted);
  // Which ports other processes have, only the daemon knows.
  const model = !isOurs
    ? first
    : createLoopGuard({ bind: settings.bind, fixed }, admit).without({
        services: catalog.services,
        admitted,
        model: first,
        decide,
        interfaces: createInterfaces()(),
        isBarred: (port) => whyBarred(port) !== null,
        closed: new Set(),
      });
  const certificates = usable.length === 0 ? null : copyOf(usable, copiesIn(runDir));
  const barred = new Set<FixedName>(isOurs ? [] : ['stats page']);
  const pace = firstPaceOf(model.listeners, {
    clientHosts: clientHosts ?? 1,
    bounds: paceBoundsOf(settings),
    isObeyed: isOurs,
  });
  return {
    model,
    view: viewOf(model, proxySettings, { barred, certificates, pace }),
    certificates: usable,
    remarks: [
      ...[...unusable, ...expired].map(({ path, reason }) => `certificate ${path}: ${reason}`),
      ...[admission.problems(), ...problemListsOf(catalog, model), ...beyondOf(catalog, model)]
        .flat()
        .map(({ key, reason }) => `not served: "${printableKey(key)}": ${reason}`),
    ],
  };
}

async function listNow(settings: DiscoverSettings): Promise<ListedKeys & { readonly clientHosts: number | null }> {
  const etcd = await etcdOf(settings);
  const client = createEtcdClient(etcd);
  try {
    const registry = createRegistry({ client, hosts: etcd.hosts, keyspace: keyspaceOf(settings.prefix) });
    const signal = AbortSignal.timeout(30_000);
    const listed = await listKeys({ registry, limits: limitsOf(settings), isKnown: () => false }, signal);
    return { ...listed, clientHosts: await countClientHosts(settings, client) };
  } finally {
    client.close();
  }
}
