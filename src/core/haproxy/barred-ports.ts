/** Ports that a registration must not open on a client host: ssh, Docker, etcd. */
const reserved = [22, 2375, 2376, 2379, 2380];

/** Ports that no listener may have on any client host, with the reason. */
export function barredPortsOf(statsPort: number): ReadonlyMap<number, string> {
  return new Map([
    ...reserved.map((port) => [port, 'is reserved'] as const),
    [statsPort, 'is reserved for the stats page'],
  ]);
}
