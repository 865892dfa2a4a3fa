import { backendOf, fleetOf } from '../stage.js';
import { backendNamed, nothing, type Begin } from './begin.js';

export const etcdFaults = {
  'etcd-kill': async ({ lab }) => {
    await lab.etcd.kill();
    return () => lab.etcd.start();
  },
  'etcd-stop': async ({ lab }) => {
    await lab.etcd.stop();
    return () => lab.etcd.start();
  },
  'etcd-freeze': async ({ lab }) => {
    await lab.etcd.pause();
    return () => lab.etcd.resume();
  },
  'etcd-cut': async ({ lab }) => {
    await lab.cut(lab.etcd);
    return () => lab.mend(lab.etcd);
  },
  'etcd-compaction': async ({ lab }) => {
    await lab.etcd.run(
      `etcdctl compact "$(etcdctl endpoint status -w json | sed -E 's/.*"revision":([0-9]+).*/\\1/')"`,
    );
    return nothing;
  },
  'lease-revoked': async (stage, target) => {
    const { ip } = backendOf(stage, backendNamed(target));
    // The lease of any key whose address is that host's.
    await stage.lab.etcd.run(
      `for lease in $(etcdctl lease list | grep -E '^[0-9a-f]+$'); do
         for key in $(etcdctl lease timetolive --keys "$lease" | grep -o '/backends/[^ ,)]*' | tr -d ']' | head -1); do
           etcdctl get --print-value-only "$key" | grep -q '^${ip}:' && etcdctl lease revoke "$lease"
         done
       done; true`,
    );
    return nothing;
  },
  'key-deleted': async (stage, target) => {
    const [life] = fleetOf(stage, backendNamed(target)).living();
    if (life !== undefined) {
      stage.deletions.push({ id: life.id, atMs: Date.now() });
      await stage.lab.etcd.run(`etcdctl del /backends/${life.service}/${life.id}`);
    }
    return nothing;
  },
} satisfies Readonly<Record<string, Begin>>;
