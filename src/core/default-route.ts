/** Tables of the kernel, as they stand in `/proc/net/route` and `/proc/net/ipv6_route`. */
export interface RouteTables {
  readonly ipv4: string;
  readonly ipv6: string;
}

/**
 * Name of the interface of the default route, the one of IPv4 first; null where there is none. See proc(5) and
 * net/ipv6/route.c of the kernel for the columns.
 */
export function defaultInterfaceOf({ ipv4, ipv6 }: RouteTables): string | null {
  const routes4 = rowsOf(ipv4)
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
    .map(([name = '', , , , , , metric = '']) => ({ name, metric: Number(metric) }));
  const routes6 = rowsOf(ipv6)
    .filter(([destination, length]) => destination === '0'.repeat(32) && length === '00')
    .map((row) => ({ name: row[9] ?? '', metric: Number(`0x${row[5] ?? ''}`) }))
    // The kernel's own, for what has no route.
    .filter(({ name }) => name !== 'lo');
  const routes = routes4.length > 0 ? routes4 : routes6;
  return routes.sort((a, b) => a.metric - b.metric)[0]?.name ?? null;
}

function rowsOf(table: string): string[][] {
  return table.split('\n').map((line) => line.trim().split(/\s+/));
}
