import { parseAddress } from '../address.js';
import { isFixed, sectionChanges, type Configuration, type ServerLine } from './configuration.js';
import { notRunning, summaryOf, type ReloadReason } from './reload-reason.js';

/** A change of one server that the running worker takes over its runtime API. */
export type Step = { readonly listener: string; readonly server: string } & (
  | { readonly kind: 'add'; readonly line: ServerLine }
  | { readonly kind: 'move'; readonly host: string; readonly port: number }
  | { readonly kind: 'weight'; readonly weight: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'maint' }
  | { readonly kind: 'shutdown sessions' }
  | { readonly kind: 'delete' }
);

export type Plan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'runtime'; readonly steps: readonly Step[] }
  /** `steps` bring the listeners that stay up to date, should the reload have to wait. */
  | { readonly kind: 'reload'; readonly reason: ReloadReason; readonly steps: readonly Step[] };

/** A server as HAProxy has it. */
export interface ObservedServer {
  /** `ip:port` or `[ipv6]:port`. */
  readonly address: string;
  readonly weight: number;
  /** In maintenance: it takes no connection, and those that it has live on. */
  readonly maint: boolean;
  /** Drained by hand; a drain of ours is weight 0 instead. */
  readonly drain: boolean;
  /** With which it was added or loaded; HAProxy does not tell them. */
  readonly keywords: string;
  /** Its connections have lived long enough. */
  readonly overdue: boolean;
}

/** What runs: servers read back from HAProxy, the rest remembered from the last reload. */
export interface Observed {
  /** The configuration with which the worker started; null where none runs. */
  readonly loaded: Configuration | null;
  /** By listener and name: of every listener that was looked at, also where it has no server. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, ObservedServer>>;
}

/**
 * Decides how HAProxy gets from observed to desired. Endpoints come and go over the runtime API; every reload has a
 * reason, and only what the runtime API can't do is one.
 */
export function planOf({ loaded, servers }: Observed, desired: Configuration): Plan {
  if (loaded === null) return { kind: 'reload', reason: notRunning, steps: [] };
  const reasons = sectionChanges(loaded, desired);
  const steps: Step[] = [];
  for (const [listener, observed] of servers) {
    const lines = desired.servers.get(listener);
    // One that goes, goes with the reload.
    if (lines === undefined) continue;
    for (const [server, line] of lines) {
      const there = observed.get(server);
      if (there !== undefined && there.keywords !== line.keywords) {
        reasons.push({ cause: 'server_keywords', text: `server ${listener}/${server} has other keywords` });
        // All of a host come to be checked at another pace at once: where they lead to does not wait for that.
        if (withoutPace(there.keywords) === withoutPace(line.keywords))
          steps.push(...stepsTo(line, there).map((step) => ({ ...step, listener, server })));
      } else {
        steps.push(...stepsTo(line, there).map((step) => ({ ...step, listener, server })));
      }
    }
    const fixed = desired.fixed.get(listener) ?? [];
    for (const [server, there] of observed) {
      if (!lines.has(server) && !isFixed(fixed, server))
        steps.push(...stepsOut(there).map((kind) => ({ kind, listener, server })));
    }
  }
  const [first, ...more] = reasons;
  if (first !== undefined) return { kind: 'reload', reason: summaryOf([first, ...more]), steps };
  return steps.length === 0 ? { kind: 'nothing' } : { kind: 'runtime', steps };
}

/** The keywords without how often, and after how many errors, the server is looked at. */
function withoutPace(keywords: string): string {
  return keywords.replace(/(?:^| )(?:inter|error-limit) \S+/g, '');
}

type OmitServer<T> = T extends unknown ? Omit<T, 'listener' | 'server'> : never;

/** From what is there, if anything, to the line. A server takes traffic only when all else is right. */
function stepsTo(line: ServerLine, there: ObservedServer | undefined): OmitServer<Step>[] {
  if (there === undefined) return [{ kind: 'add', line }];
  const steps: OmitServer<Step>[] = [];
  if (there.address !== line.address) {
    const address = parseAddress(line.address);
    if (address.ok) steps.push({ kind: 'move', host: address.value.host, port: address.value.port });
  }
  if (there.weight !== line.weight) steps.push({ kind: 'weight', weight: line.weight });
  if (there.maint || there.drain) steps.push({ kind: 'ready' });
  return steps;
}

/** Out of the pool at once; deleted when its last connection has gone, or after the deadline. */
function stepsOut({ maint, overdue }: ObservedServer): ('maint' | 'shutdown sessions' | 'delete')[] {
  return [...(maint ? [] : (['maint'] as const)), ...(overdue ? (['shutdown sessions'] as const) : []), 'delete'];
}
