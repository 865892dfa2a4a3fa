import { isIPv4 } from '../core/address.js';
import { SettingError } from '../core/errors.js';
import { formatBind, type BindAddress } from '../core/haproxy/bind.js';
import type { FixedBind } from '../core/haproxy/fixed-binds.js';

interface OwnBinds {
  readonly metricsBind: BindAddress | 'none';
  readonly statusBind: BindAddress | 'none';
}

/** @throws SettingError where two pages of ours would have one address; told later, it would be "another process" */
export function refuseSharedBinds({ metricsBind, statusBind }: OwnBinds, fixed: readonly FixedBind[]): void {
  const own = [
    { setting: 'METRICS_BIND', bind: metricsBind },
    { setting: 'STATUS_BIND', bind: statusBind },
  ].flatMap(({ setting, bind }) => (bind === 'none' ? [] : [{ setting, bind }]));
  for (const [at, one] of own.entries()) {
    const other = [...own.slice(0, at), ...fixed].find(({ bind }) => areShared(one.bind, bind));
    if (other !== undefined)
      throw new SettingError(
        `both ${one.setting} ${formatBind(one.bind)} and ${other.setting} ${formatBind(other.bind)} want port ${String(one.bind.port)}: give one of them another`,
      );
  }
}

function areShared(a: BindAddress, b: BindAddress): boolean {
  return a.port === b.port && (a.host === b.host || isAll(a.host, b.host) || isAll(b.host, a.host));
}

/** Whether `host` is every address, `other` among them. */
function isAll(host: string, other: string): boolean {
  return host === '::' || (host === '*' && (other === '::' || isIPv4(other)));
}
