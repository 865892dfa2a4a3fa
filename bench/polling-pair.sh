#!/usr/bin/env bash
# A stand-in for the pair of 2014: register writes what runs every 10 s, discover polls every 5 s and reloads for each change.
#   polling-pair.sh register HOST_IP ETCD     polling-pair.sh discover ETCD PORT HAPROXY DIR
set -euo pipefail
export ETCDCTL_API=3

register() {
  local ip=$1 etcd=$2 lease
  while true; do
    lease=$(etcdctl --endpoints "$etcd:2379" lease grant 15 | cut -d' ' -f2)
    docker ps --filter ancestor=whoami --format '{{.ID}} {{.Ports}}' |
      sed -nE 's/^(\S+) 0\.0\.0\.0:([0-9]+)->8000.*/\1 \2/p' |
      while read -r id port; do
        etcdctl --endpoints "$etcd:2379" put --lease "$lease" "/polled/whoami/$id" "$ip:$port" >/dev/null
      done
    sleep 10
  done
}

discover() {
  local etcd=$1 port=$2 haproxy=$3 dir=$4 pid='' before='' servers
  mkdir -p "$dir"
  while true; do
    servers=$(etcdctl --endpoints "$etcd:2379" get --prefix --print-value-only /polled |
      sed -E 's/(.*)/  server \1 \1 check inter 2s/')
    if [[ $servers != "$before" || -z $pid ]]; then
      before=$servers
      printf 'defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 1m\n  timeout server 1m\nlisten whoami\n  bind *:%s\n%s\n' \
        "$port" "$servers" >"$dir/haproxy.cfg"
      # shellcheck disable=SC2086
      "$haproxy" -f "$dir/haproxy.cfg" -db ${pid:+-sf $pid} 2>/dev/null &
      pid=$!
    fi
    sleep 5
  done
}

trap 'jobs -p | xargs -r kill' EXIT
"$@"
