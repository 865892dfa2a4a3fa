import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const timeoutMs = 5_000;

/**
 * Tells systemd something of this service, as `READY=1` (sd_notify(3)). Node can't send to a datagram socket of the file
 * system, so systemd's own program does; the unit says NotifyAccess=all for it.
 *
 * @throws where the program is not there, or systemd did not take it
 */
export async function notifySystemd(socket: string, assignments: readonly string[]): Promise<void> {
  await promisify(execFile)('systemd-notify', [...assignments], {
    timeout: timeoutMs,
    env: { PATH: process.env['PATH'], NOTIFY_SOCKET: socket },
  });
}
