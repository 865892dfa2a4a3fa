import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { useOf } from './process.js';

/** A small service in a process of its own, as many are: Node, one answer for every path. It tells how often it was asked. */
const service = `
let connections = 0;
const server = require('node:http').createServer((_request, response) => response.end('ok'));
server.on('connection', () => { connections += 1; }).on('clientError', (_error, socket) => socket.destroy());
server.listen(0, '0.0.0.0', 4096, () => process.send(server.address().port));
process.on('message', () => process.send(connections));
`;

export interface CheckedEndpoint {
  /** On every address of this machine. */
  readonly port: number;
  /** So far: connections, and CPU time in ms. */
  used(): Promise<{ readonly connections: number; readonly cpuMs: number }>;
  close(): Promise<void>;
}

export async function startCheckedEndpoint(): Promise<CheckedEndpoint> {
  const child = spawn(process.execPath, ['-e', service], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'close');
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    async used() {
      const answer = once(child, 'message');
      child.send('count');
      const [connections] = (await answer) as [number];
      return { connections, cpuMs: useOf(child.pid ?? 0).cpuMs };
    },
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
