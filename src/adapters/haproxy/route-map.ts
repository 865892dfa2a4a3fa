import { messageOf } from '../../core/errors.js';
import { linesOf } from '../../core/haproxy/commands.js';
import { formatRoutes, parseRoutesReply, parseShowMap, routeCommandOf } from '../../core/haproxy/routes.js';
import type { RouteMap } from '../../ports/route-map.js';
import { writeWhole } from '../files.js';
import type { ProxyPaths } from './paths.js';
import { askWorker } from './socket.js';

export function createRouteMap(paths: ProxyPaths): RouteMap {
  /** What the file holds; null where that is not known. */
  let onDisk: string | null = null;
  return {
    async write(routes) {
      const text = formatRoutes(routes);
      if (text === onDisk) return null;
      onDisk = null;
      try {
        await writeWhole(paths.routes, text);
      } catch (error) {
        return messageOf(error);
      }
      onDisk = text;
      return null;
    },

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
