#!/bin/sh
# Makes a CA, a certificate for each member of etcd, and one for the daemons, in a directory.
#
#   make-certificates.sh DIRECTORY NAME=ADDRESS[,ADDRESS...]...
#   make-certificates.sh certs etcd-1=198.18.0.11 etcd-2=198.18.0.12,etcd-2.example etcd-3=198.18.0.13
#
# What is there already stays: to renew a certificate, remove it and run this again. A member takes a new one for its next
# connection, the daemons within some ten seconds, for theirs. Only ca.pem goes to all hosts; each key to its own host alone, and ca.key,
# which can make more of them, to none: keep it somewhere safe.
set -eu
umask 077

ca_days=3650 days=825

fail() {
  echo "make-certificates.sh: $*" >&2
  exit 2
}

# What openssl says is of interest only where it fails.
quietly() {
  said=$("$@" 2>&1) || fail "$*: $said"
}

# sign NAME USAGE ALTERNATIVES
sign() {
  [ ! -e "$1.pem" ] || return 0
  [ -e "$1.key" ] || quietly openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
  printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=%s\nsubjectAltName=%s\n' "$2" "$3" \
    >"$scratch/extensions"
  quietly openssl req -new -key "$1.key" -subj "/CN=$1" -out "$scratch/request"
  quietly openssl x509 -req -in "$scratch/request" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" \
    -extfile "$scratch/extensions" -out "$scratch/certificate"
  # Everybody may see a certificate; a key is for its owner alone.
  chmod 644 "$scratch/certificate"
  mv "$scratch/certificate" "$1.pem"
  echo "made $1.pem for $3"
}

[ $# -ge 2 ] || fail 'usage: make-certificates.sh DIRECTORY NAME=ADDRESS[,ADDRESS...]...'
command -v openssl >/dev/null || fail 'there is no openssl in PATH'
directory=$1
shift
for member in "$@"; do
  case $member in
    ca=* | client=*) fail "\"$member\": ca and client are names of other files; give the member another" ;;
    *[!A-Za-z0-9.:,=_-]* | =* | *=) fail "\"$member\" is not NAME=ADDRESS[,ADDRESS...]" ;;
    *=*) ;;
    *) fail "\"$member\" is not NAME=ADDRESS[,ADDRESS...]" ;;
  esac
done
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
mkdir -p "$directory"
cd "$directory"

if [ ! -e ca.pem ]; then
  quietly openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  quietly openssl req -x509 -new -key ca.key -subj '/CN=etcd of docker-discover' -days "$ca_days" -out ca.pem \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
  chmod 644 ca.pem
  echo 'made ca.pem'
fi
for member in "$@"; do
  # The members and etcdctl on their hosts go by 127.0.0.1.
  alternatives=IP:127.0.0.1,DNS:localhost
  for address in $(echo "${member#*=}" | tr , ' '); do
    case $address in
      *:*) kind=IP ;;
      *[!0-9.]*) kind=DNS ;;
      *) kind=IP ;;
    esac
    alternatives=$alternatives,$kind:$address
  done
  # A member is a client of the others.
  sign "${member%%=*}" serverAuth,clientAuth "$alternatives"
done
sign client clientAuth DNS:docker-discover
