#!/usr/bin/env bash
# What it costs as it grows: run.sh [NAME...]
set -euo pipefail
cd "$(dirname "$0")/../.."
bash test/lab/setup.sh
npm run -s build
exec node --import tsx bench/scale/main.ts "$@"
