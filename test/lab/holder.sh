#!/usr/bin/env bash
# Holds the namespaces of one host of the lab, until stdin ends.
#
#   holder.sh NAME CGROUP own|machine DATA_ROOT
#
# The host's processes live in a PID namespace whose first process reads our stdin. When the lab's process ends, in whichever
# way, stdin ends, the kernel kills all that the host runs, and with the last process go its network, mounts and files. So
# nothing needs to be remembered for a later clean-up, except for cgroup directories: those are removed here, and swept at the
# next start should this script have been killed itself.
#
# Prints "ready PID", the PID by which nsenter finds the host.
set -euo pipefail

name=$1 cgroup=$2 network=$3 data_root=$4

if [[ ${5-} != inside ]]; then
  options=(--fork --kill-child=KILL --pid --mount --uts --propagation private)
  [[ $network == own ]] && options+=(--net)
  code=0
  unshare "${options[@]}" -- bash --norc "$0" "$name" "$cgroup" "$network" "$data_root" inside || code=$?
  # Version 1 has a tree per controller, version 2 a single one.
  for dir in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
    [[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + || code=$?
  done
  exit "$code"
fi

# /proc is still the machine's, so this is the PID as the machine sees it. (`read` is a builtin: no child in between.)
read -r pid _ </proc/self/stat
resolv=$(readlink -f /etc/resolv.conf)
names=$(cat /etc/resolv.conf)

mount -t proc proc /proc
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lab /run/lock
if [[ $resolv == /run/* ]]; then
  mkdir -p "${resolv%/*}"
  printf '%s\n' "$names" >"$resolv"
fi
mkdir -p "$data_root" /var/lib/docker
mount --bind "$data_root" /var/lib/docker
hostname "$name"
[[ $network == machine ]] || ip link set lo up

echo "ready $pid"
# Bash reaps the orphans of the host while it waits here.
while read -r _; do :; done
