#!/usr/bin/env bash
# Makes DIR/root, the file system of a stand-in for an official Node image (slim) on Debian.
#
#   stand-in.sh DIR SUITE NODE_MAJOR
#
# Debian comes from the mirror that the machine itself uses, Node and npm from the npm registry that it uses.
set -euo pipefail

dir=$1 suite=$2 major=$3
root=$dir/root

# shellcheck source=/dev/null
. /etc/os-release
mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
  awk -v suite="$VERSION_CODENAME" '$1 == suite && $2 == "main" && $3 ~ /\/debian\/?$/ { print $3; exit }')
[[ -n $mirror ]] || { echo "no Debian mirror for $VERSION_CODENAME main in the sources of apt" >&2; exit 1; }

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "no Node package known for $(uname -m)" >&2; exit 1 ;;
esac

mkdir -p "$dir/node" "$dir/npm" "$root"
pack() { (cd "$1" && npm pack --silent "$2" >/dev/null && tar -xzf ./*.tgz && rm ./*.tgz); }
pack "$dir/node" "node-linux-$arch@$major" &
node_pid=$!
pack "$dir/npm" npm@11 &
npm_pid=$!
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$dir/debootstrap.log" 2>&1 ||
  { tail -n 20 "$dir/debootstrap.log" "$root/debootstrap/debootstrap.log" >&2; exit 1; }
wait "$node_pid"
wait "$npm_pid"

install -D -m 755 "$dir/node/package/bin/node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
mv "$dir/npm/package" "$root/usr/local/lib/node_modules/npm"
chmod +x "$root"/usr/local/lib/node_modules/npm/bin/np[mx]-cli.js
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
chroot "$root" groupadd --gid 1000 node
chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node

# What this machine trusts and where it gets its packages from, the image's builds need too.
mkdir -p "$root/etc/ssl" "$root/usr/local/etc"
cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/machine.crt"
echo "registry=$(npm config get registry --silent)" >"$root/usr/local/etc/npmrc"

# As the slim images: no documentation, no translations, now and at later installations.
cat >"$root/etc/dpkg/dpkg.cfg.d/docker" <<'EXCLUDES'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/groff/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
EXCLUDES
find "$root/usr/share/doc" ! -type d ! -name copyright -delete
rm -rf "$root"/usr/share/{man,info,groff,lintian,linda,locale}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
  "$root"/var/log/*.log "$root"/dev/* "$root"/usr/local/lib/node_modules/npm/{docs,man}
