import { recordOf } from '../core/catalog.js';
import { catalogOf } from '../core/catalog-index.js';
import { problemListsOf } from '../core/discover-status.js';
import { SettingError } from '../core/errors.js';
import { claimsUnder, whyBarredBy, type ClientPolicy } from '../core/haproxy/client-policy.js';
import { modelOf } from '../core/haproxy/model.js';
import { render } from '../core/haproxy/render.js';
import { viewOf, type ProxySettings } from '../core/haproxy/view.js';
import { printableKey } from '../core/keyspace.js';
import type { Registry } from '../ports/registry.js';

export interface RenderOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly template: string;
  readonly settings: ProxySettings;
  readonly policy: ClientPolicy;
}

/** The configuration on standard output; what is left out, and why, on standard error. */
export async function renderNow({ registry, prefix, template, settings, policy }: RenderOptions): Promise<void> {
  const { entries } = await registry.list(AbortSignal.timeout(30_000));
  const catalog = catalogOf(entries.map((entry) => recordOf(prefix, entry)));
  const claims = catalog.services.flatMap((service) => claimsUnder(policy, service));
  const whyBarred = whyBarredBy(policy, settings.statsBind.port);
  const model = modelOf({ claims, held: [], heldRevision: 0, whyBarred, nowMs: 0, lingerMs: 0 });
  const text = render(template, viewOf(model, settings, false));
  if (!text.ok) throw new SettingError(`TEMPLATE can't be rendered: ${text.reason}`);
  for (const { key, reason } of problemListsOf(catalog, model).flat())
    process.stderr.write(`not served: "${printableKey(key)}": ${reason}\n`);
  process.stdout.write(text.value);
}
