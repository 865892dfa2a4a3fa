import type { EngineHost, Lab } from '../test/lab/lab.js';

/** When Docker says that something happened to a container, ms since 1970. */
export async function eventAtMs(host: EngineHost, id: string, event: string, sinceMs: number): Promise<number> {
  const since = `--since ${(sinceMs / 1000).toFixed(3)} --until "$EPOCHREALTIME"`;
  const filters = `--filter container=${id} --filter event=${event}`;
  const { stdout } = await host.run(`docker events ${since} ${filters} --format '{{.TimeNano}}'`);
  const [first = ''] = stdout.trim().split('\n');
  if (first === '') throw new Error(`Docker on ${host.name} tells of no ${event} of ${id}`);
  return Number(first) / 1e6;
}

/** When docker-discover's log first has a line of `message` with `word` in it, ms since 1970; null where it has none. */
export async function loggedAtMs(lab: Lab, message: string, word: string, sinceMs: number): Promise<number | null> {
  const { stdout } = await lab.client.run(`docker logs --since ${(sinceMs / 1000).toFixed(3)} docker-discover 2>&1`);
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{') || !line.includes(message) || !line.includes(word)) continue;
    const { time } = JSON.parse(line) as { time: string | number };
    return new Date(time).getTime();
  }
  return null;
}

export async function removeAll(hosts: readonly EngineHost[]): Promise<void> {
  await Promise.all(hosts.map((host) => host.run('docker ps -aq | xargs -r docker rm -f -v')));
}
