import { longestHealthcheckMs } from './attributes.js';
import type { ContainerSnapshot } from './container.js';
import type { Misread } from './found.js';
import { asksTheSame, unhealthyAfterMs } from './healthcheck.js';
import type { PortMetadata } from './metadata.js';

/**
 * Within what time docker-register, which obeys it, withdraws an endpoint by Docker's HEALTHCHECK; null where that does not ask what the
 * HTTP check asks, as far as can be seen or was said.
 */
export function withdrawnWithin(
  { healthCheck }: Pick<ContainerSnapshot, 'healthCheck'>,
  {
    containerPort,
    metadata: { attributes, healthcheck: said },
  }: {
    readonly containerPort: number;
    readonly metadata: Pick<PortMetadata, 'attributes' | 'healthcheck'>;
  },
): { readonly ms: number | null; readonly misread: readonly Misread[] } {
  const { check = null, checkStatus = null } = attributes;
  const no = { ms: null, misread: [] };
  if (check === null || said?.isEnough === false) return no;
  if (healthCheck === null)
    return said === null
      ? no
      : { ms: null, misread: [{ ...said, allowed: 'yes only where Docker has a HEALTHCHECK for the container' }] };
  const isTheSame = said !== null || (checkStatus === null && asksTheSame(healthCheck, containerPort, check));
  const ms = unhealthyAfterMs(healthCheck);
  return isTheSame && ms <= longestHealthcheckMs ? { ms, misread: [] } : no;
}
