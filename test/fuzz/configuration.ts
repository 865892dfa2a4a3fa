import type { Model } from '../../src/core/haproxy/model.js';
import * as grammar from './grammar.js';

/**
 * Looks at each line of haproxy.cfg: up to the first section of a service it is what it is without any, and behind that there are the
 * sections and servers of the model, and nothing else.
 *
 * @param head the file without a service
 * @throws at the first line that may not be there
 */
export function checkConfiguration(text: string, head: string, model: Model): void {
  if (!text.startsWith(head)) throw new Error(`haproxy.cfg: its head is another: ${text.slice(0, 3_000)}`);
  const listeners = model.listeners.values();
  let servers: string[] = [];
  let isOpen = false;
  for (const line of text.slice(head.length).split('\n')) {
    const [, section, name] = grammar.sectionHeader.exec(line) ?? [];
    if (section !== undefined) {
      if (servers.length > 0) throw new Error(`haproxy.cfg: a server is missing: ${servers.join()}`);
      const listener = listeners.next().value;
      if (name !== listener?.name || (section === 'listen') !== listener?.isOpen)
        throw new Error(`haproxy.cfg: a section of nobody: ${line}`);
      servers = listener.servers.map((server) => server.name);
      isOpen = listener.isOpen;
      continue;
    }
    const [, server] = grammar.serverLine.exec(line) ?? [];
    if (server !== undefined) {
      if (server !== servers.shift()) throw new Error(`haproxy.cfg: a server of nobody: ${line}`);
      continue;
    }
    const isFine =
      (isOpen && grammar.bindLine.test(line)) || grammar.sectionLines.some((allowed) => allowed.test(line));
    if (!isFine) throw new Error(`haproxy.cfg: ${JSON.stringify(line)}`);
  }
  const left = listeners.next();
  if (left.done !== true || servers.length > 0) throw new Error('haproxy.cfg: a section or a server is missing');
}
