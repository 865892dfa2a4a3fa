import type { Routes, RouteStep } from '../core/haproxy/routes.js';

/** The map of the HTTP entrance: a file that a new worker reads, and what the running one was told since. */
export interface RouteMap {
  /** Makes the file say this. @returns why it could not be written; null where it could, or needed not */
  write(routes: Routes): Promise<string | null>;
  /** What the running worker has; null where its configuration has no such map. */
  read(signal: AbortSignal): Promise<Routes | null>;
  /** @returns what the worker rejected, in its words; null where it took all */
  apply(steps: readonly RouteStep[], signal: AbortSignal): Promise<string | null>;
}
