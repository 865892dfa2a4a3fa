import { startRegister } from '../../e2e/support/pair.js';
import type { EngineHost } from '../../lab/lab.js';
import { backendOf, fill, fleetOf, registerSettings } from '../stage.js';
import { backendNamed, deaf, frozen, nothing, type Begin } from './begin.js';

/** Of the host, its engine, its docker-register and their ways. */
export const backEndFaults = {
  'register-kill': (stage, target) => registersKilled([backendOf(stage, backendNamed(target))]),
  'registers-kill': ({ lab }) => registersKilled(lab.backends),
  'register-upgrade': async (stage, target) => {
    const host = backendOf(stage, backendNamed(target));
    await host.docker('rm', '-f', 'docker-register');
    await startRegister(stage.lab, host, registerSettings);
    return nothing;
  },
  'register-freeze': (stage, target) => frozen(backendOf(stage, backendNamed(target)), 'docker-register'),
  'backend-without-etcd': (stage, target) => deaf(stage, [backendOf(stage, backendNamed(target))]),
  'backends-without-etcd': (stage) => deaf(stage, stage.lab.backends),
  'link-slow': async (stage, target) => {
    const host = backendOf(stage, backendNamed(target));
    // Not netem, which not every kernel has.
    const loss = 'PREROUTING -i eth0 -m statistic --mode random --probability 0.05 -j DROP';
    await host.run(
      `tc qdisc add dev eth0 root tbf rate 256kbit burst 4kb latency 200ms; iptables -w -t mangle -I ${loss}`,
    );
    return async () => {
      await host.run(`tc qdisc del dev eth0 root; iptables -w -t mangle -D ${loss}`);
    };
  },
  'link-cut': async (stage, target) => {
    const name = backendNamed(target);
    const host = backendOf(stage, name);
    const cut = { host: name, fromMs: Date.now(), cutMs: Infinity, toMs: Infinity };
    stage.cuts.push(cut);
    await stage.lab.cut(host);
    cut.cutMs = Date.now();
    return async () => {
      await stage.lab.mend(host);
      cut.toMs = Date.now();
    };
  },
  'engine-kill': async (stage, target) => {
    const name = backendNamed(target);
    const { engine } = backendOf(stage, name);
    const fleet = fleetOf(stage, name);
    return holding(fleet, async () => {
      await engine.kill();
      return async () => {
        await fleet.lost(() => engine.start());
        await fill(fleet);
      };
    });
  },
  'engine-freeze': async (stage, target) => {
    const name = backendNamed(target);
    const { engine } = backendOf(stage, name);
    return holding(fleetOf(stage, name), async () => {
      await engine.pause();
      return () => engine.resume();
    });
  },
} satisfies Readonly<Record<string, Begin>>;

async function registersKilled(hosts: readonly EngineHost[]): Promise<() => Promise<void>> {
  await Promise.all(hosts.map((host) => host.docker('kill', 'docker-register')));
  return async () => {
    await Promise.all(hosts.map((host) => host.docker('start', 'docker-register')));
  };
}

/** Nobody else needs the engine of that host meanwhile. */
async function holding(
  fleet: { alone<T>(work: () => Promise<T>): Promise<T> },
  begin: () => Promise<() => Promise<void>>,
): Promise<() => Promise<void>> {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const begun = await new Promise<() => Promise<void>>((resolve, reject) => {
    fleet
      .alone(async () => {
        resolve(await begin());
        await finished;
      })
      .catch(reject);
  });
  return async () => {
    try {
      await begun();
    } finally {
      finish();
    }
  };
}
