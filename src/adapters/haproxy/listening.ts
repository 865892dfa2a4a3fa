import { readFile } from 'node:fs/promises';
import { listeningSockets, type ListeningSocket } from '../../core/listening-sockets.js';

/** All of this network namespace, whoever has them. */
export async function allListening(): Promise<ListeningSocket[]> {
  const read = (family: string): Promise<string> => readFile(`/proc/self/net/${family}`, 'utf8').catch(() => '');
  return listeningSockets(await Promise.all(['tcp', 'tcp6'].map(read)));
}
