import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectDir } from '../../lab/cache.js';
import { quote } from '../../lab/command.js';
import type { EngineHost } from '../../lab/lab.js';

/** The image that a variable of a compose file stands for where it is not set: `${ETCD_IMAGE:-etcd:1}` → `etcd:1`. */
async function imageIn(file: string, variable: string): Promise<string> {
  const text = await readFile(join(projectDir, file), 'utf8');
  const image = new RegExp(`\\$\\{${variable}:-([^}]+)\\}`).exec(text)?.[1];
  if (image === undefined) throw new Error(`${file}: no image by ${variable}`);
  return image;
}

/**
 * Stand-ins for the images that the compose files name and a user pulls, with the machine's own etcd, at the places
 * and with the command of the published one, and a whoami that listens at the published one's port.
 */
export async function importPublishedImages(hosts: readonly EngineHost[]): Promise<void> {
  const etcd = await imageIn('compose.yaml', 'ETCD_IMAGE');
  const whoami = await imageIn('compose.yaml', 'WHOAMI_IMAGE');
  const arch = process.arch === 'arm64' ? `--change 'ENV ETCD_UNSUPPORTED_ARCH=arm64'` : '';
  const script = `set -euo pipefail
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    install -D -t "$dir/etcd/usr/local/bin" "$(command -v etcd)" "$(command -v etcdctl)"
    for library in $(ldd "$dir"/etcd/usr/local/bin/* | grep -o '/[^ ]*\\.so[^ ]*' | sort -u); do
      install -D "$library" "$dir/etcd$library"
    done
    tar -C "$dir/etcd" -c . | docker import ${arch} --change 'ENV PATH=/usr/local/bin' --change 'EXPOSE 2379 2380' \\
      --change 'WORKDIR /var/lib/etcd' --change 'CMD ["/usr/local/bin/etcd"]' - ${quote(etcd)}
    install -D "$(readlink -f "$(command -v busybox)")" "$dir/whoami/bin/busybox"
    sed s/8000/80/ ${quote(join(projectDir, 'test/lab/images/whoami/serve'))} >"$dir/whoami/bin/serve"
    tar -C "$dir/whoami" -c . | docker import --change 'EXPOSE 80' \\
      --change 'CMD ["/bin/busybox", "sh", "/bin/serve"]' - ${quote(whoami)}`;
  await Promise.all(hosts.map((host) => host.run(script)));
}
