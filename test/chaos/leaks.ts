import type { EngineHost } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { processesOf, type ProcessUse, type Role } from './processes.js';
import type { Stage } from './stage.js';

/**
 * What each role may have more at the end than at the start. A young Node still grows: its heap, and code that it compiles.
 * docker-register has up to eight connections for the looks at containers, which live for five seconds after the last one;
 * where it looks every five seconds, it is chance how many of them are seen.
 */
const tolerance: Readonly<Record<Exclude<Role, 'other'>, { readonly mib: number; readonly files: number }>> = {
  init: { mib: 1, files: 0 },
  daemon: { mib: 40, files: 10 },
  'haproxy master': { mib: 5, files: 4 },
  'haproxy worker': { mib: 15, files: 40 },
};

export interface Look {
  readonly where: string;
  readonly uses: readonly ProcessUse[];
}

const registerRoles = ['init', 'daemon'];
const discoverRoles = ['init', 'daemon', 'haproxy master', 'haproxy worker'];

/** Waits until no process is there that does not belong, such as a worker of before a reload, and looks at the others. */
export async function lookAtProcesses({ lab }: Stage, withinMs: number): Promise<Look[]> {
  const looks: Look[] = [];
  const look = async (host: EngineHost, container: string, roles: readonly string[]): Promise<void> => {
    const expected = [...roles].sort().join();
    await waitFor(
      `${container} on ${host.name} to have ${expected} alone`,
      async (seen) => {
        const uses = seen(await processesOf(host, container));
        if (
          uses
            .map(({ role }) => role)
            .sort()
            .join() !== expected
        )
          return false;
        looks.push({ where: `${container} on ${host.name}`, uses });
        return true;
      },
      { timeoutMs: withinMs },
    );
  };
  for (const host of lab.backends) await look(host, 'docker-register', registerRoles);
  for (const host of lab.clients) await look(host, 'docker-discover', discoverRoles);
  return looks;
}

export interface Growth {
  readonly what: string;
  readonly before: ProcessUse;
  readonly after: ProcessUse;
  readonly grown: boolean;
}

export function growthOf(before: readonly Look[], after: readonly Look[]): Growth[] {
  return before.flatMap(({ where, uses }) =>
    uses.flatMap((use) => {
      const { role } = use;
      const later = after.find((look) => look.where === where)?.uses.find((one) => one.role === role);
      if (later === undefined || role === 'other') return [];
      const { mib, files } = tolerance[role];
      const grown = later.mib - use.mib > mib || later.files - use.files > files;
      return [{ what: `${where}, ${role}`, before: use, after: later, grown }];
    }),
  );
}
