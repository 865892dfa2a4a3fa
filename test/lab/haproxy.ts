import { join } from 'node:path';
import { SHELL, runCommand } from './command.js';
import { ensureImages } from './images.js';

/** A HAProxy that the project supports: the machine's own from 2.8 on, otherwise the image's (which needs root if it isn't built yet). */
export async function haproxyPath(log: (line: string) => void = () => undefined): Promise<string> {
  const { stdout } = await runCommand([...SHELL, 'PATH=$PATH:/usr/sbin; haproxy -v | head -n 1; command -v haproxy'], {
    check: false,
  });
  const [, major, minor, path] = /version (\d+)\.(\d+)[^\n]*\n(\/\S+)/.exec(stdout) ?? [];
  if (path !== undefined && Number(major) * 100 + Number(minor) >= 208) return path;
  const { dir } = await ensureImages(log);
  return join(dir, 'haproxy/haproxy');
}
