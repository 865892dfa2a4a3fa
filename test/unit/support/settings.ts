import { defaultPolicy } from '../../../src/core/haproxy/client-policy.js';
import { basePace } from '../../../src/core/haproxy/check-pace.js';
import { fixedBindsOf, type FixedName } from '../../../src/core/haproxy/fixed-binds.js';
import type { Model } from '../../../src/core/haproxy/model.js';
import type { ProxySettings } from '../../../src/core/haproxy/view.js';
import type { BuiltModel, HostOptions } from '../../../src/daemon/model-builder.js';

export function proxySettingsWith(changes: Partial<ProxySettings> = {}): ProxySettings {
  return {
    bind: ['*'],
    statsBind: { host: '*', port: 1936 },
    httpBind: null,
    httpsBind: null,
    redirectToHttps: true,
    statsAuth: null,
    runtimeSocket: '/run/docker-discover/runtime.sock',
    serverStateFile: '/run/docker-discover/server-state',
    routesFile: '/run/docker-discover/routes.map',
    hardStopAfterSeconds: 900,
    accessLog: false,
    listenerMaxconn: 10_000,
    ...changes,
  };
}

const noInterfaces: ReadonlySet<string> = new Set();

/** A host with that stats page, and the default policy. */
export function hostWith(changes: Partial<HostOptions> = {}): HostOptions {
  return {
    bind: ['*'],
    fixed: fixedBindsOf(proxySettingsWith()),
    reserved: new Map([[1936, 'stats page']]),
    hasEntrance: false,
    certificates: () => null,
    policy: defaultPolicy,
    interfaces: () => noInterfaces,
    lingerMs: 60_000,
    mostListeners: 5_000,
    pacer: {
      paceFor: () => basePace,
      current: () => basePace,
      clientHosts: () => 1,
      restore: () => undefined,
      counted: () => null,
    },
    ...changes,
  };
}

export function builtWith(model: Model, barred: readonly FixedName[] = []): BuiltModel {
  return { model, barred: new Set(barred), certificates: null, pace: basePace };
}
