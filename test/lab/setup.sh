#!/usr/bin/env bash
# Installs what the tests and the demo need and this machine lacks: Debian packages, then the project's npm packages.
# When nothing is missing, it does nothing. More programs may be asked for: setup.sh [COMMAND:PACKAGE...]
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin

fail() {
  echo "setup: $*" >&2
  exit 1
}

command -v node >/dev/null || fail 'there is no node in PATH; Node 20.19 or newer is needed'
command -v npm >/dev/null || fail 'there is no npm in PATH'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node 20.19 or newer is needed, and this is $(node --version)"

# COMMAND:PACKAGE
needed=(
  docker:docker.io dockerd:docker.io iptables:iptables ip:iproute2 curl:curl
  etcd:etcd-server etcdctl:etcd-client debootstrap:debootstrap gpgv:gpgv unshare:util-linux nsenter:util-linux flock:util-linux
  openssl:openssl nginx:nginx chromium:chromium perl:perl-base docker-compose:docker-compose systemd-notify:systemd systemd-analyze:systemd
  promtool:prometheus zsh:zsh fish:fish groff:groff-base script:bsdutils
  "$@"
)
missing=()
for entry in "${needed[@]}"; do
  command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
done
[[ -s /etc/ssl/certs/ca-certificates.crt ]] || missing+=(ca-certificates)
[[ -s /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
# The package busybox is linked dynamically, and useless in an image without libraries.
[[ -e /var/lib/dpkg/info/busybox-static.list ]] || missing+=(busybox-static)

if ((${#missing[@]} > 0)); then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  command -v apt-get >/dev/null || fail "these packages are missing, and there is no apt-get to install them: ${missing[*]}"
  ((EUID == 0)) || fail "these packages are missing, and only root can install them: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  echo 'setup: apt-get update'
  apt-get update -qq
  # From Debian 13 on, the command line is a package of its own.
  if ! command -v docker >/dev/null && apt-cache show docker-cli >/dev/null 2>&1; then missing+=(docker-cli); fi
  # The programs are wanted, not the services: this machine's own network and ports stay as they are.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  echo "setup: installing ${missing[*]}"
  apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

# Every package of the lock file is there in its version, except for those made for other platforms.
node_modules_fit() {
  node -e '
    const read = (file) => JSON.parse(require("node:fs").readFileSync(file, "utf8")).packages;
    const wanted = read("package-lock.json");
    const there = read("node_modules/.package-lock.json");
    const differs = ([name, { version, optional }]) => name !== "" && !(there[name] ? there[name].version === version : optional);
    process.exit(Object.entries(wanted).some(differs) ? 1 : 0);
  '
}
if [[ ! -e node_modules/.package-lock.json ]] || ! node_modules_fit; then
  echo 'setup: npm ci'
  npm ci --no-audit --no-fund --loglevel=error
fi
