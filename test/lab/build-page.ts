import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Before all tests of a project: the status page where a daemon that runs from the source finds it. Once, since tests run side by side. */
export default async function buildPage(): Promise<void> {
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  await promisify(execFile)('npm', ['run', '--silent', 'build:page'], { cwd });
}
