#!/usr/bin/env bash
# The demo: demo.sh [--keep]
set -euo pipefail
cd "$(dirname "$0")/../.."
bash test/lab/setup.sh
exec node --import tsx test/lab/demo.ts "$@"
