#!/usr/bin/env bash
# Runs interop.py on a tidemill binary (the first argument), with the readers from PyPI in a
# virtual environment that is made once.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
venv=$(dirname "$(dirname "$binary")")/interop-venv
readers="numpy xarray netCDF4 pyarrow polars duckdb pillow"
modules=${readers/pillow/PIL}

if ! "$venv/bin/python" -c "import ${modules// /, }" 2> /dev/null; then
    echo "interop: installing $readers" >&2
    python3 -m venv "$venv"
    # shellcheck disable=SC2086 # one word for each package
    "$venv/bin/pip" install -q --disable-pip-version-check $readers
fi
exec "$venv/bin/python" "$here/interop.py" "$binary" "$(dirname "$here")"
