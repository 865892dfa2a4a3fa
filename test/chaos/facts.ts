import type { BackendName, ClientName } from './kinds.js';

/** All times are ms since 1970, of the one clock that all hosts of the lab have. */
export interface Span {
  readonly fromMs: number;
  /** Infinity while it lasts. */
  readonly toMs: number;
}

/** A container of a service, from its first moment to its last. */
export interface Life {
  /** The first 12 digits of its id, with which it answers. */
  readonly id: string;
  readonly service: string;
  readonly host: BackendName;
  readonly fromMs: number;
  how: 'lives' | 'stopped' | 'killed';
  /** From when on it may have ended at any time: its end was ordered. Infinity while it lives. */
  endingMs: number;
  /** When it was killed: not known better than so. Null where it lives, or was stopped with care. */
  killed: Span | null;
}

/** Who took traffic, as HAProxy on a client host says it, from a moment on. */
export interface Sighting {
  readonly atMs: number;
  readonly up: ReadonlySet<string>;
}

/** What is known of a run: what was done to whom, and what was seen. */
export interface Facts {
  readonly lives: readonly Life[];
  readonly sightings: Readonly<Record<ClientName, readonly Sighting[]>>;
  /** A back-end host's cable was pulled: clients can't reach its containers. `cutMs`: when the order to pull it had been carried out. */
  readonly cuts: readonly (Span & { readonly host: BackendName; readonly cutMs: number })[];
  /** Its key was deleted by hand: it is nobody's fault that it takes no traffic until its docker-register has put it again. */
  readonly deletions: readonly { readonly id: string; readonly atMs: number }[];
  /** HAProxy of a client host was killed, with docker-discover or alone, until it was ready again. */
  readonly absences: readonly (Span & { readonly client: ClientName; readonly what: string })[];
}

export interface Failure extends Span {
  readonly client: ClientName;
  readonly service: string;
  readonly error: string;
}

export function overlap(a: Span, b: Span): boolean {
  return a.fromMs <= b.toMs && a.toMs >= b.fromMs;
}
