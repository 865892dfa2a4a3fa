#!/usr/bin/env bash
# All tests, or those of one layer: run.sh [integration|e2e]
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
  printf '\n== %s\n' "$1"
  shift
  "$@"
}

case ${1-all} in
  all)
    step 'setup' bash test/lab/setup.sh
    step 'format' npx prettier --check .
    step 'lint' npx eslint .
    step 'types' npx tsc --noEmit
    step 'types of the status page' npx tsc -p src/page --noEmit
    step 'unused exports and dependencies' npx knip
    for layer in unit integration e2e; do
      step "$layer tests" npx vitest run --project "$layer"
    done
    step 'chaos' node --import tsx test/chaos/chaos.ts
    ;;
  integration | e2e)
    step 'setup' bash test/lab/setup.sh
    step "$1 tests" npx vitest run --project "$1"
    ;;
  *)
    echo "usage: run.sh [integration|e2e]" >&2
    exit 2
    ;;
esac
