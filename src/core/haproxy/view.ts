import { formatAddress } from '../address.js';
import { formatDuration } from '../duration.js';
import { formatBind } from './bind.js';
import { basePace, checkingOf, type CheckPace } from './check-pace.js';
import { splitRoute } from '../http-route.js';
import type { FixedAddresses, FixedName } from './fixed-binds.js';
import type { Listener, Server } from './listener.js';
import type { Model } from './model.js';

/** Where the daemon and HAProxy meet, and what the settings say. */
export interface ProxySettings extends FixedAddresses {
  /** Hosts on which every listener is opened. */
  readonly bind: readonly string[];
  readonly statsAuth: { readonly user: string; readonly password: string } | null;
  /** Path of the runtime API's socket. */
  readonly runtimeSocket: string;
  /** Path of the file from which a new worker takes over the state of the servers. */
  readonly serverStateFile: string;
  /** Path of the map of the HTTP entrance. */
  readonly routesFile: string;
  /** Where there is an HTTPS entrance too, plain requests are sent there. */
  readonly redirectToHttps: boolean;
  /** How long an old worker may finish its connections after a reload, seconds. */
  readonly hardStopAfterSeconds: number;
  /** Every request and connection is logged. */
  readonly accessLog: boolean;
  /** Connections that one listener may have at a time. */
  readonly listenerMaxconn: number;
}

/** What of the settings can't be had just now. */
export interface Circumstances {
  /** Taken by another process. */
  readonly barred: ReadonlySet<FixedName>;
  /** Directory of the certificates; null where there is none that can be used. */
  readonly certificates: string | null;
  readonly pace: CheckPace;
}

export const undisturbed: Circumstances = { barred: new Set(), certificates: null, pace: basePace };

/**
 * What a template gets, a public interface: users mount their own. Every string was validated by its grammar, and holds no white space,
 * quote, control character or other byte with a meaning in haproxy.cfg (the password may, and must stand between double quotes).
 */
export interface View {
  readonly runtimeSocket: string;
  readonly serverStateFile: string;
  readonly hardStopAfter: string;
  readonly accessLog: boolean;
  /** Checks are rarer than on a few hosts with a few endpoints. */
  readonly slowChecks: boolean;
  /** Absent while the port of the stats page is taken by another process. */
  readonly stats: {
    readonly bind: string;
    readonly auth: { readonly user: string; readonly password: string } | null;
  } | null;
  /** Null where it is not wanted, or has no port. */
  readonly entrance: EntranceView | null;
  readonly listeners: readonly ListenerView[];
}

export interface EntranceView {
  /** Path of the map that leads from host name and path to the name of a listener. */
  readonly routesFile: string;
  readonly http: { readonly bind: string } | null;
  readonly https: { readonly bind: string; readonly certificates: string } | null;
  /** Where to send plain requests: `:8443`, or nothing where that is the port of https; null: they stay. */
  readonly redirect: { readonly port: string } | null;
}

export interface ListenerView {
  readonly name: string;
  readonly service: string;
  readonly port: number;
  /** `backend` where only the HTTP entrance leads to it. */
  readonly section: 'listen' | 'backend';
  /** What of the HTTP entrance leads to it. */
  readonly routes: readonly ReturnType<typeof splitRoute>[];
  readonly binds: readonly { readonly bind: string }[];
  /** Connections that it takes at a time; null for a `backend`, which can't have it. */
  readonly maxconn: number | null;
  readonly mode: 'tcp' | 'http';
  readonly http: boolean;
  readonly balance: string;
  /** Path of the HTTP check, or null for a layer-4 check, and while one stands in for it. */
  readonly check: string | null;
  /** Status codes that pass; null: any below 400. */
  readonly checkStatus: string | null;
  /** Time between two checks. */
  readonly checkInterval: string;
  /** Connections in a row that fail until the server is out. */
  readonly errorLimit: number;
  /** Name of the cookie by which a client stays with its server; null where it need not. */
  readonly stickyCookie: string | null;
  readonly servers: readonly ServerView[];
}

export interface ServerView {
  readonly name: string;
  readonly address: string;
  readonly weight: number;
  readonly backup: boolean;
  readonly maxconn: number | null;
  /** Value of the listener's cookie that stands for this server. */
  readonly cookie: string | null;
  /** `send-proxy` or `send-proxy-v2`. */
  readonly sendProxy: string | null;
  readonly slowStart: string | null;
  readonly zone: string | null;
  readonly tags: readonly string[];
  /** Attributes that mean nothing to the pair, by name. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** @param viewOfListener for who renders again and again: see `createListenerViews` */
export function viewOf(
  model: Model,
  settings: ProxySettings,
  circumstances: Circumstances,
  viewOfListener: typeof listenerViewOf = listenerViewOf,
): View {
  const { runtimeSocket, serverStateFile, statsBind, statsAuth, hardStopAfterSeconds, accessLog } = settings;
  return {
    runtimeSocket,
    serverStateFile,
    hardStopAfter: `${String(hardStopAfterSeconds)}s`,
    accessLog,
    slowChecks: circumstances.pace.because !== null,
    stats: circumstances.barred.has('stats page') ? null : { bind: formatBind(statsBind), auth: statsAuth },
    entrance: entranceViewOf(settings, circumstances),
    listeners: model.listeners.map((listener) => viewOfListener(listener, settings, circumstances.pace)),
  };
}

function entranceViewOf(
  { httpBind, httpsBind, routesFile, redirectToHttps }: ProxySettings,
  { barred, certificates }: Circumstances,
): EntranceView | null {
  const http = httpBind === null || barred.has('HTTP entrance') ? null : { bind: formatBind(httpBind) };
  const hasHttps = httpsBind !== null && certificates !== null && !barred.has('HTTPS entrance');
  const https = hasHttps ? { bind: formatBind(httpsBind), certificates } : null;
  if (http === null && https === null) return null;
  const redirect =
    hasHttps && redirectToHttps ? { port: httpsBind.port === 443 ? '' : `:${String(httpsBind.port)}` } : null;
  return { routesFile, http, https, redirect };
}

/** Of a listener that is the same object as before, the view is too. Its servers are made when they are rendered, and not kept. */
export function createListenerViews(): typeof listenerViewOf {
  const views = new WeakMap<Listener, { settings: ProxySettings; pace: CheckPace; view: ListenerView }>();
  return (listener, settings, pace) => {
    const known = views.get(listener);
    if (known?.settings === settings && known.pace === pace) return known.view;
    const view = listenerViewOf(listener, settings, pace);
    views.set(listener, { settings, pace, view });
    return view;
  };
}

function listenerViewOf(listener: Listener, { bind, listenerMaxconn }: ProxySettings, pace: CheckPace): ListenerView {
  const { name, service, port, isOpen, routes, mode, balance, sticky, servers } = listener;
  return {
    name,
    service,
    port,
    section: isOpen ? 'listen' : 'backend',
    routes: routes.map(splitRoute),
    binds: isOpen ? bind.map((host) => ({ bind: formatBind({ host, port }) })) : [],
    maxconn: isOpen ? listenerMaxconn : null,
    mode,
    http: mode === 'http',
    balance,
    ...checkingOf(listener, pace),
    // A browser has one jar for all ports of a host.
    stickyCookie: sticky === null ? null : `${service}-${String(port)}`,
    get servers() {
      return servers.map((server) => serverViewOf(server, sticky !== null));
    },
  };
}

function serverViewOf(server: Server, sticky: boolean): ServerView {
  const { name, weight, backup, maxconn, proxyProtocol, slowStartMs, zone, tags, others } = server;
  return {
    name,
    address: formatAddress(server),
    weight,
    backup,
    maxconn,
    cookie: sticky ? name : null,
    sendProxy: proxyProtocol === null ? null : { v1: 'send-proxy', v2: 'send-proxy-v2' }[proxyProtocol],
    slowStart: slowStartMs === null ? null : formatDuration(slowStartMs),
    zone,
    tags,
    attributes: Object.fromEntries(others),
  };
}
