#!/usr/bin/env bash
# Prints what the images and the npm package are made of, from package-lock.json: sbom.sh [cyclonedx|spdx]
#
# Not `npm sbom --omit=dev`: that leaves out what tools of development need too, such as `debug`.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -r "$copy"' EXIT
cp package.json package-lock.json "$copy"
cd "$copy"
npm pkg delete devDependencies
npm install --package-lock-only --ignore-scripts --offline --no-audit --no-fund --silent
npm sbom --package-lock-only --offline --sbom-format "${1:-cyclonedx}"
