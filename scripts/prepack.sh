#!/usr/bin/env bash
# Before `npm pack` and `npm publish`: builds what the package has and the repository has not.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf dist man completions
npx tsc -p tsconfig.build.json --declaration --stripInternal
npm run --silent build:page
# The library is all that can be imported; its types stand alone.
find dist -name '*.d.ts' -not -path 'dist/library/*' -delete

mkdir man completions
for name in docker-register docker-discover; do
  node "dist/cli/$name.js" man >"man/$name.1"
  node "dist/cli/$name.js" completion bash >"completions/$name.bash"
  node "dist/cli/$name.js" completion fish >"completions/$name.fish"
  node "dist/cli/$name.js" completion zsh >"completions/_$name"
done
