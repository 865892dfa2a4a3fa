import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from '../report.js';
import { checks } from './checks.js';
import { discoverer } from './discoverer.js';
import { endWithChildren } from './children.js';
import { fleet, fleetOfThousand } from './fleet.js';
import { herd } from './herd.js';
import { outage } from './outage.js';
import { polls } from './polls.js';
import { registrar } from './registrar.js';

const benches: Readonly<Record<string, () => Promise<void>>> = { polls, registrar, discoverer, checks, fleet };
/** Only where they are asked for. */
const larger: Readonly<Record<string, () => Promise<void>>> = { 'fleet-1000': fleetOfThousand, herd, outage };

const names = process.argv.slice(2);
const unknown = names.find((name) => benches[name] === undefined && larger[name] === undefined);
if (unknown !== undefined) {
  console.error(
    `bench:scale: there is no bench ${unknown}; there are ${Object.keys(benches).join(', ')}, which run where none is named (a quarter of an hour), and ${Object.keys(larger).join(', ')} (half an hour, 8 GiB)`,
  );
  process.exit(2);
}

/** All that a bench writes for itself is below it, also what its processes write. */
const dir = mkdtempSync(join(tmpdir(), 'bench-scale-'));
process.env.TMPDIR = dir;
const tidyUp = (): void => {
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
};
process.once('exit', tidyUp);
endWithChildren(tidyUp);
console.log(`bench:scale: on ${machine()}`);
for (const [name, bench] of Object.entries({ ...benches, ...larger })) {
  if (names.length > 0 ? !names.includes(name) : benches[name] === undefined) continue;
  console.log(`bench:scale: ${name}`);
  await bench();
}
