#!/usr/bin/env bash
# Fill .venv with exactly what requirements/lock.txt names, checked by hash, and put the command `zhike` into it.
# uv does it in seconds. Where pip has been told to use other sources than its default, which uv would not know
# of, and where uv fails, pip does the same in about a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input)
lock=requirements/lock.txt

"$python" - <<'CHECK'
import sys

if sys.version_info < (3, 11):
    sys.exit(f"Zhike needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. Try: make setup PYTHON=python3.11")
CHECK
[ -x .venv/bin/python ] || "$python" -m venv .venv

with_uv() {
    if "${pip[@]}" config list | grep -qE "[.](index-url|no-index|proxy|client-cert)="; then return 1; fi
    "${pip[@]}" install -qq --require-hashes --no-deps -r requirements/installer.txt || return 1
    # --compile-bytecode: a dozen processes start at once, and none should compile what the others compile too
    VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode "$lock"
}

with_uv || "${pip[@]}" install -qq --require-hashes --no-deps -r "$lock"
"${pip[@]}" install -qq --no-deps --no-index --no-build-isolation --editable .
