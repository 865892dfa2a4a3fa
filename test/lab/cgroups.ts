import { SHELL, runCommand } from './command.js';

/** Removes the cgroups of this kind that a killed run has left. Those in use stay: rmdir takes empty ones only. */
export async function sweepCgroups(kind: string): Promise<void> {
  const sweep =
    'shopt -s nullglob; for dir in /sys/fs/cgroup/{,*/}"$0".*; do find "$dir" -depth -type d -exec rmdir {} +; done 2>&1';
  const { stdout } = await runCommand([...SHELL, sweep, kind], { check: false });
  const unexpected = stdout.split('\n').filter((line) => line !== '' && !/busy|No such file/i.test(line));
  if (unexpected.length > 0) throw new Error(`cgroups of an earlier run stay: ${unexpected.join('\n')}`);
}
