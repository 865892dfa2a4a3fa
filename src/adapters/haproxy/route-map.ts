import { linesOf } from '../../core/haproxy/commands.js';
import { formatRoutes, parseRoutesReply, parseShowMap, routeCommandOf } from '../../core/haproxy/routes.js';
import type { RouteMap } from '../../ports/route-map.js';
import { createKeptFile } from '../kept-file.js';
import type { ProxyPaths } from './paths.js';
import { askWorker } from './socket.js';

export function createRouteMap(paths: ProxyPaths): RouteMap {
  const file = createKeptFile(paths.routes);
  return {
    write: (routes) => file.write(formatRoutes(routes)),

    read: async (signal) => parseShowMap(await askWorker(paths, `show map ${paths.routes}`, { signal })),

    async apply(steps, signal) {
      for (const { line } of linesOf(steps.map((step) => routeCommandOf(step, paths.routes)))) {
        const rejected = parseRoutesReply(await askWorker(paths, line, { signal }));
        if (rejected !== null) return rejected;
      }
      return null;
    },
  };
}
