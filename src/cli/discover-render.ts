import { recordOf } from '../core/catalog.js';
import { catalogOf } from '../core/catalog-index.js';
import { problemListsOf } from '../core/discover-status.js';
import { claimsUnder, whyBarredBy, type ClientPolicy } from '../core/haproxy/client-policy.js';
import { modelOf } from '../core/haproxy/model.js';
import { viewOf, type ProxySettings, type View } from '../core/haproxy/view.js';
import { printableKey } from '../core/keyspace.js';
import type { Registry } from '../ports/registry.js';

export interface RenderOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly settings: ProxySettings;
  readonly policy: ClientPolicy;
}

/** What a template gets for what stands in etcd now; what is left out, and why, on standard error. */
export async function viewNow({ registry, prefix, settings, policy }: RenderOptions): Promise<View> {
  const { entries } = await registry.list(AbortSignal.timeout(30_000));
  const catalog = catalogOf(entries.map((entry) => recordOf(prefix, entry)));
  const claims = catalog.services.flatMap((service) => claimsUnder(policy, service));
  const whyBarred = whyBarredBy(policy, settings.statsBind.port);
  const model = modelOf({ claims, held: [], heldRevision: 0, whyBarred, nowMs: 0, lingerMs: 0 });
  for (const { key, reason } of problemListsOf(catalog, model).flat())
    process.stderr.write(`not served: "${printableKey(key)}": ${reason}\n`);
  return viewOf(model, settings, false);
}
