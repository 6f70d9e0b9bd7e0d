#!/usr/bin/env bash
# install.sh ENVIRONMENT LOCK: make the virtual environment hold exactly what the lock names, checked by hash.
# uv does it in seconds. Where pip has been told to use other sources than its default, which uv would not know
# of, and where uv fails, pip does the same in about a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=$1
lock=$2
python=${PYTHON:-python3}
pip=("$environment/bin/python" -m pip --disable-pip-version-check --no-input)

"$python" - <<'CHECK'
import sys

if sys.version_info < (3, 11):
    found = f"{sys.executable} is {sys.version.split()[0]}"
    sys.exit(f"Zhike needs Python 3.11 or newer; {found}. Try: make setup PYTHON=python3.11")
CHECK
[ -x "$environment/bin/python" ] || "$python" -m venv "$environment"

with_uv() {
    if "${pip[@]}" config list | grep -qE "[.](index-url|no-index|proxy|client-cert)="; then return 1; fi
    [ -x .venv/bin/uv ] || .venv/bin/python -m pip install -qq --require-hashes --no-deps -r requirements/installer.txt || return 1
    # --compile-bytecode: a dozen processes start at once, and none should compile what the others compile too
    # --system-certs: trust whom this machine trusts, as pip does
    VIRTUAL_ENV=$environment .venv/bin/uv pip sync --system-certs --quiet --require-hashes --compile-bytecode "$lock"
}

with_uv || "${pip[@]}" install -qq --require-hashes --no-deps -r "$lock"
