#!/usr/bin/env bash
# The Debian packages that the whole test suite and the INDI nights need: INDI's server with its simulators, and a clock
# for them that can run faster. Where they cannot be installed it says what is skipped, and the suite runs without.
set -euo pipefail

missing=()
command -v indiserver >/dev/null || missing+=(indi-bin)
command -v faketime >/dev/null || missing+=(faketime)
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)

echo "Installing Debian's ${missing[*]} for the tests against INDI's own simulators."
if "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; then
  exit 0
fi
echo "That did not work; the INDI nights and the tests against indiserver (tests/simulators/indi, tests/drivers/indi," >&2
echo "tests/contracts, tests/wire) are skipped. To have them: apt-get install --no-install-recommends ${missing[*]}" >&2
