import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../host.js';

/** HAProxy re-executes itself by the name it was called by at a reload, so that name must be the wrapper's. */
const WRAPPER = `#!/bin/sh
dir=$(dirname "$(readlink -f "$0")")
exec "$dir/lib/loader" --library-path "$dir/lib" --argv0 "$dir/haproxy" "$dir/lib/haproxy" "$@"
`;

/** Copies the image's HAProxy with its libraries and loader to DIR/haproxy, so that it runs on this machine as well. */
export async function exportHaproxy(builder: Host, dir: string): Promise<void> {
  const lib = join(dir, 'haproxy/lib');
  await mkdir(lib, { recursive: true });
  const script = [
    'set -e; mkdir /tmp/lib; cp /usr/sbin/haproxy /tmp/lib',
    `ldd /usr/sbin/haproxy | grep -o '/[^ ]*' | while read -r file; do cp -L "$file" /tmp/lib; done`,
    'mv /tmp/lib/ld-linux* /tmp/lib/loader; tar -C /tmp/lib -c .',
  ].join('\n');
  const run = `docker run -i --rm --network none --entrypoint sh docker-discover -s`;
  await builder.run(`set -o pipefail; ${run} | tar -C ${lib} -x --no-same-owner`, { input: script });
  const wrapper = join(dir, 'haproxy/haproxy');
  await writeFile(wrapper, WRAPPER);
  await chmod(wrapper, 0o755);
}
