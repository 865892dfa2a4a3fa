import { startLab, type Lab } from '../test/lab/lab.js';
import { appear } from './appear.js';
import { burst } from './burst.js';
import { change } from './change.js';
import { churn } from './churn.js';
import { faults } from './faults.js';
import { idle } from './idle.js';
import { overhead } from './overhead.js';
import { removeAll } from './pair.js';
import { machine } from './report.js';
import { vanish } from './vanish.js';

const benches: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  change,
  appear,
  vanish,
  burst,
  churn,
  overhead,
  idle,
  faults,
};

const names = process.argv.slice(2);
const unknown = names.find((name) => benches[name] === undefined);
if (unknown !== undefined) {
  console.error(`bench: there is no bench ${unknown}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    controller.abort();
  });
}

console.log(`bench: on ${machine()}`);
const lab = await startLab({ log: console.log, signal: controller.signal });
try {
  for (const [name, bench] of Object.entries(benches)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`bench: ${name}`);
    await bench(lab);
    await removeAll([lab.client, ...lab.backends]);
    await lab.etcd.run('etcdctl del --prefix /');
  }
} finally {
  await lab.stop();
}
