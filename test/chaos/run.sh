#!/usr/bin/env bash
# The lab under faults, or under change alone: run.sh chaos|soak [--minutes N] [--seed S] [--only FAULT,...]
set -euo pipefail
cd "$(dirname "$0")/../.."
bash test/lab/setup.sh
exec node --import tsx "test/chaos/$1.ts" "${@:2}"
