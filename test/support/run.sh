#!/usr/bin/env bash
# `npm test`: everything, from a checkout after `npm ci`. Redis is the one thing that npm does not bring.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v redis-server >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "redis-server is missing: installing it by apt" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server >&2
  else
    echo "npm test needs redis-server on the PATH: apt-get install redis-server, brew install redis, dnf install redis" >&2
    exit 3
  fi
fi

npm run --silent build
npm run --silent typecheck
npm run --silent lint
exec npx vitest run "$@"
