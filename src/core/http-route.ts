import type { Grammar } from './grammar.js';

/** What a service asks of the HTTP entrance. */
export interface HttpRouting {
  /** Host names: exact, `*.example.org` for one label in front, or `*` for any; in lower case. None: any, where there is a path. */
  readonly httpHosts: readonly string[];
  /** Requests below this path, without a slash at its end; null: every path. */
  readonly httpPath: string | null;
}

/** Host name (or `*`, `*.example.org`) and path prefix, each path with a slash at its end: `shop.example/api/`. */
export type RouteKey = string;

const mostText = 1000;
const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const host = new RegExp(`^(?:\\*|(?:\\*\\.)?${label}(?:\\.${label})*)$`);
const path = /^(?:\/[A-Za-z0-9._~@:+-]+)+$/;

export const hostsGrammar: Grammar<readonly string[]> = {
  name: 'http-host',
  initial: [],
  allowed: `host names like www.example.org, *.example.org or *, without scheme and port, with commas between, ${String(mostText)} characters at most`,
  parse: (text) => {
    const hosts = text
      .split(',')
      .map((one) => one.trim().toLowerCase())
      .filter((one) => one !== '');
    const areHosts =
      hosts.length > 0 && hosts.every((one) => one.length <= 253 && host.test(one)) && text.length <= mostText;
    return areHosts ? { value: [...new Set(hosts)] } : null;
  },
  format: (hosts) => hosts.join(','),
};

export const pathGrammar: Grammar<string | null> = {
  name: 'http-path',
  initial: null,
  allowed: 'a path like /api, of letters, digits and . _ ~ @ : + -, 128 characters at most',
  parse: (text) => {
    if (text === '/') return { value: null };
    const prefix = text.replace(/\/$/, '');
    return prefix.length <= 128 && path.test(prefix) ? { value: prefix } : null;
  },
  format: (prefix) => prefix ?? '/',
};

export function isRouted({ httpHosts, httpPath }: HttpRouting): boolean {
  return httpHosts.length > 0 || httpPath !== null;
}

/** The slash at the end keeps `/api` from having `/apis` too, and a host name from having a longer one. */
export function routeKeysOf(routing: HttpRouting): RouteKey[] {
  const { httpHosts, httpPath } = routing;
  if (!isRouted(routing)) return [];
  return (httpHosts.length === 0 ? ['*'] : httpHosts).map((name) => `${name}${httpPath ?? ''}/`);
}

/** The parts of a key; null is any host, and every path. */
export function splitRoute(key: RouteKey): { readonly host: string | null; readonly path: string | null } {
  const slash = key.indexOf('/');
  const host = key.slice(0, slash);
  return { host: host === '*' ? null : host, path: key.slice(slash, -1) || null };
}

/** As people write it: `shop.example/api`, `shop.example`. */
export function formatRoute(key: RouteKey): string {
  return key.slice(0, -1);
}
