import { formatAddress } from '../address.js';
import { formatBind, type BindAddress } from './bind.js';
import type { Listener, Model } from './model.js';

/** Where the daemon and HAProxy meet, and what the settings say. */
export interface ProxySettings {
  /** Hosts on which every listener is opened. */
  readonly bind: readonly string[];
  readonly statsBind: BindAddress;
  readonly statsAuth: { readonly user: string; readonly password: string } | null;
  /** Path of the runtime API's socket. */
  readonly runtimeSocket: string;
  /** Path of the file from which a new worker takes over the state of the servers. */
  readonly serverStateFile: string;
  /** How long an old worker may finish its connections after a reload, seconds. */
  readonly hardStopAfterSeconds: number;
}

/**
 * What a template gets. This is a public interface: users mount their own template. Every string in it was validated by
 * its grammar, and holds no white space, quote, control character or other byte with a meaning in haproxy.cfg (the
 * password may, and must stand between double quotes).
 */
export interface View {
  readonly runtimeSocket: string;
  readonly serverStateFile: string;
  readonly hardStopAfter: string;
  /** Absent while the port of the stats page is taken by another process. */
  readonly stats: {
    readonly bind: string;
    readonly auth: { readonly user: string; readonly password: string } | null;
  } | null;
  readonly listeners: readonly ListenerView[];
}

export interface ListenerView {
  readonly name: string;
  readonly service: string;
  readonly port: number;
  readonly binds: readonly { readonly bind: string }[];
  readonly mode: 'tcp' | 'http';
  readonly http: boolean;
  readonly balance: string;
  /** Path of the HTTP check, or null for a layer-4 check. */
  readonly check: string | null;
  readonly servers: readonly { readonly name: string; readonly address: string; readonly weight: number }[];
}

/** @param statsBarred the port of the stats page is taken by another process */
export function viewOf(model: Model, settings: ProxySettings, statsBarred: boolean): View {
  const { runtimeSocket, serverStateFile, statsBind, statsAuth, hardStopAfterSeconds } = settings;
  return {
    runtimeSocket,
    serverStateFile,
    hardStopAfter: `${String(hardStopAfterSeconds)}s`,
    stats: statsBarred ? null : { bind: formatBind(statsBind), auth: statsAuth },
    listeners: model.listeners.map((listener) => listenerViewOf(listener, settings.bind)),
  };
}

function listenerViewOf(listener: Listener, bind: readonly string[]): ListenerView {
  const { name, service, port, mode, balance, check, servers } = listener;
  return {
    name,
    service,
    port,
    binds: bind.map((host) => ({ bind: formatBind({ host, port }) })),
    mode,
    http: mode === 'http',
    balance,
    check,
    servers: servers.map((server) => ({ name: server.name, address: formatAddress(server), weight: server.weight })),
  };
}
