import type { Lab } from '../lab.js';

/** The last log lines of the daemons, for whoever wants to know why the demo failed. */
export async function lastWords(lab: Lab): Promise<string> {
  const hosts = [...lab.backends, ...lab.clients];
  const parts = await Promise.all(
    hosts.map(async (host) => {
      const list = "docker ps -a --format '{{.Names}}' | grep '^docker-'";
      const logs = `for name in $(${list}); do echo "-- $name on ${host.name}"; docker logs --tail 15 "$name" 2>&1; done`;
      return (await host.run(logs, { check: false })).stdout.trim();
    }),
  );
  return parts.filter((part) => part !== '').join('\n');
}
