# Prints the key of a cache for a compiled Burn: what decides its content decides its name.
set -euo pipefail
words=(toolchain pack --key)
if [ -n "${BURN_VERSION:-}" ]; then words+=("--burn-version=$BURN_VERSION"); fi
key=$(burn-verify "${words[@]}")
echo "key=${RUNNER_OS:-any}-${key%.tar.zst}"
