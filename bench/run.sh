#!/usr/bin/env bash
# The benchmarks: run.sh [NAME...]
set -euo pipefail
cd "$(dirname "$0")/.."
bash test/lab/setup.sh wrk:wrk
exec node --import tsx bench/main.ts "$@"
