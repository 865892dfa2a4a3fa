import { discoverReady, startRegister } from '../e2e/support/pair.js';
import type { EngineHost, Host } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { backends, clients, type BackendName, type ClientName, type FaultKind, type Target } from './kinds.js';
import { backendOf, clientOf, fill, fleetOf, registerSettings, type Stage } from './stage.js';

/** Begins a fault; what it resolves with ends it. */
type Begin = (stage: Stage, target: Target) => Promise<() => Promise<void>>;

const nothing = (): Promise<void> => Promise.resolve();

export const faults: Readonly<Record<FaultKind, Begin>> = {
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
  'backend-without-etcd': (stage, target) => deaf(stage, [backendOf(stage, backendNamed(target))]),
  'backends-without-etcd': (stage) => deaf(stage, stage.lab.backends),
  'client-without-etcd': (stage, target) => deaf(stage, [clientOf(stage, clientNamed(target))]),
  'register-kill': (stage, target) => registersKilled([backendOf(stage, backendNamed(target))]),
  'registers-kill': ({ lab }) => registersKilled(lab.backends),
  'register-upgrade': async (stage, target) => {
    const host = backendOf(stage, backendNamed(target));
    await host.docker('rm', '-f', 'docker-register');
    await startRegister(stage.lab, host, registerSettings);
    return nothing;
  },
  'register-freeze': (stage, target) => frozen(backendOf(stage, backendNamed(target)), 'docker-register'),
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
  'discover-kill': (stage, target) =>
    absent(stage, { client: clientNamed(target), what: 'docker-discover' }, async (client) => {
      await client.docker('kill', 'docker-discover');
      return async () => {
        await client.docker('start', 'docker-discover');
      };
    }),
  'discover-freeze': (stage, target) => frozen(clientOf(stage, clientNamed(target)), 'docker-discover'),
  'discover-hup': async (stage, target) => {
    await clientOf(stage, clientNamed(target)).docker('kill', '-s', 'HUP', 'docker-discover');
    return nothing;
  },
  'worker-kill': async (stage, target) => {
    const end = await absent(stage, { client: clientNamed(target), what: "HAProxy's worker" }, async (client) => {
      const status = JSON.parse(await client.docker('exec', 'docker-discover', 'docker-discover', 'ls', '--json')) as {
        readonly haproxy: { readonly workerPid: number };
      };
      await client.docker('exec', 'docker-discover', 'bash', '-c', `kill -KILL ${String(status.haproxy.workerPid)}`);
      return nothing;
    });
    await end();
    return nothing;
  },
};

function backendNamed(target: Target): BackendName {
  return one(backends, target);
}

function clientNamed(target: Target): ClientName {
  return one(clients, target);
}

function one<T extends string>(names: readonly T[], target: string): T {
  const found = names.find((name) => name === target);
  if (found === undefined) throw new Error(`a fault that hits one of ${names.join(', ')} can not hit ${target}`);
  return found;
}

/** What etcd sends does not arrive; before Docker's own rules, so that its containers don't hear it either. */
async function deaf({ lab }: Stage, hosts: readonly Host[]): Promise<() => Promise<void>> {
  const rule = `PREROUTING -s ${lab.etcd.ip} -j DROP`;
  await Promise.all(hosts.map((host) => host.run(`iptables -w -t mangle -I ${rule}`)));
  return async () => {
    await Promise.all(hosts.map((host) => host.run(`iptables -w -t mangle -D ${rule}`)));
  };
}

async function registersKilled(hosts: readonly EngineHost[]): Promise<() => Promise<void>> {
  await Promise.all(hosts.map((host) => host.docker('kill', 'docker-register')));
  return async () => {
    await Promise.all(hosts.map((host) => host.docker('start', 'docker-register')));
  };
}

/** The daemon alone gets SIGSTOP: not what else runs in its container. */
async function frozen(host: EngineHost, container: string): Promise<() => Promise<void>> {
  const table = await host.docker('top', container, '-o', 'pid,args');
  const pid = new RegExp(`^\\s*(\\d+)\\s+(?:\\S+/)?node \\S*${container}$`, 'm').exec(table)?.[1];
  if (pid === undefined) throw new Error(`there is no daemon in ${container}:\n${table}`);
  await host.run(`kill -STOP ${pid}`);
  return async () => {
    await host.run(`kill -CONT ${pid}`);
  };
}

/** HAProxy of a client host is not there from the fault's begin until it is ready again. */
async function absent(
  stage: Stage,
  { client, what }: { readonly client: ClientName; readonly what: string },
  begin: (host: EngineHost) => Promise<() => Promise<void>>,
): Promise<() => Promise<void>> {
  const host = clientOf(stage, client);
  const absence = { client, what, fromMs: Date.now(), toMs: Infinity };
  stage.absences.push(absence);
  const end = await begin(host);
  return async () => {
    await end();
    await discoverReady({ ...stage.lab, client: host });
    const load = stage.loads.find((one) => one.client === client);
    await waitFor(`HAProxy of ${client} to tell of its pools`, () => load?.pool() !== null);
    absence.toMs = Date.now();
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
