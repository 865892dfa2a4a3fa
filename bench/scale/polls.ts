import { createEtcdClient } from '../../src/adapters/etcd/client.js';
import { createRegistry } from '../../src/adapters/etcd/registry.js';
import { startEtcd } from '../../test/integration/support/etcd.js';
import { publish } from '../report.js';
import { draw } from './curves.js';
import { pidOf, useOf } from './process.js';

const sizes = [100, 1_000, 10_000, 50_000];
const times = 50;
const ownKeys = 20;

/** What the questions cost etcd that each host asks again and again, by the number of keys that there are. */
export async function polls(): Promise<void> {
  const etcd = await startEtcd();
  const pid = pidOf('etcd', etcd.url, '--data-dir');
  const client = createEtcdClient({ hosts: [etcd.url], tls: null });
  const registry = createRegistry({ client, hosts: [etcd.url], keyspace: '/backends/' });
  const signal = (): AbortSignal => AbortSignal.timeout(60_000);
  const rows = [];
  const series = new Map<string, (readonly [number, number])[]>();
  try {
    const [own, others] = [
      await registry.grantLease(3_600_000, signal()),
      await registry.grantLease(3_600_000, signal()),
    ];
    let there = 0;
    for (const keys of sizes) {
      const puts = Array.from({ length: keys - there }, (_, n) => {
        const number = there + n;
        return {
          key: `/backends/service-${String(number % 1_000)}/${number.toString(16).padStart(12, '0')}`,
          value: `10.1.${String((number >> 8) & 255)}.${String(number & 255)}:8000?port=8000&at=2026-01-01T00:00:00.000Z`,
        };
      });
      if (there === 0) await registry.apply({ puts: puts.splice(0, ownKeys), deletes: [] }, own, signal());
      await registry.apply({ puts, deletes: [] }, others, signal());
      there = keys;
      const questions: Readonly<Record<string, () => Promise<unknown>>> = {
        'all keys': () => registry.list(signal()),
        'number and youngest': () => registry.fingerprint(signal()),
        'their number': () => registry.countKeys(signal()),
        'the revision': () => registry.revision(signal()),
        [`the ${String(ownKeys)} of one lease`]: () => registry.listOwn(own, [], signal()),
        'a keep-alive': () => registry.keepAlive(own, signal()),
      };
      const figures: Record<string, number> = {};
      for (const [what, question] of Object.entries(questions)) {
        await question();
        const before = useOf(pid).cpuMs;
        for (let n = 0; n < times; n += 1) await question();
        figures[what] = (useOf(pid).cpuMs - before) / times;
        series.set(what, [...(series.get(what) ?? []), [keys, figures[what]]]);
      }
      rows.push({ what: `${keys.toLocaleString('en')} keys`, figures });
    }
  } finally {
    client.close();
    await etcd.dispose();
  }
  const title = 'CPU time of etcd for one question';
  await publish({
    name: 'scale-polls',
    title,
    unit: 'ms',
    rows,
    remarks: [`mean of ${String(times)}; the kernel counts in steps of 10 ms`],
    samples: null,
  });
  await draw({
    name: 'scale-polls',
    title,
    along: 'keys in etcd',
    unit: 'ms',
    series: [...series].map(([what, points]) => ({ what, points })),
  });
}
