import { machine } from '../report.js';
import { checks } from './checks.js';
import { discoverer } from './discoverer.js';
import { fleet } from './fleet.js';
import { polls } from './polls.js';
import { registrar } from './registrar.js';

const benches: Readonly<Record<string, () => Promise<void>>> = { polls, registrar, discoverer, checks, fleet };

const names = process.argv.slice(2);
const unknown = names.find((name) => benches[name] === undefined);
if (unknown !== undefined) {
  console.error(`bench:scale: there is no bench ${unknown}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}

console.log(`bench:scale: on ${machine()}`);
for (const [name, bench] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`bench:scale: ${name}`);
  await bench();
}
