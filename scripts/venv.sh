#!/usr/bin/env bash
# A virtual environment with exactly the locked packages, and this project in it. Usage: venv.sh PYTHON FOLDER
set -euo pipefail
python=$1
folder=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Nightbridge needs Python 3.11 or later; '$python' is $("$python" --version 2>&1)." >&2
  exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  version=$("$python" -c 'import sys; print(f"python3.{sys.version_info.minor}-venv")')
  echo "Installing Debian's $version, which $python needs for a virtual environment."
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$version"
  elif sudo -n true 2>/dev/null; then
    sudo apt-get update -qq && sudo apt-get install -y -qq --no-install-recommends "$version"
  else
    echo "Please install the Debian package $version (neither root nor sudo is at hand), then run this again." >&2
    exit 1
  fi
fi

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
# The lock is whole: pip has nothing to choose, and a release newer than the lock does not confuse it (--no-deps).
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

if ! "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --require-hashes -r requirements-indi.txt 2>/dev/null; then
  echo "pyindi-client cannot be installed here: the tests of that one of the two INDI links are skipped (tests/drivers/indi)." >&2
fi
