#!/usr/bin/env bash
# Runs interop.py and interop_stores.py on a tidemill binary (the first argument), with the readers
# from PyPI in a virtual environment that is made once.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
venv=$(dirname "$(dirname "$binary")")/interop-venv
readers="numpy xarray netCDF4 pyarrow polars duckdb pillow"
# A store on the loopback, for interop_stores.py.
stores="moto flask boto3"
modules=${readers/pillow/PIL}

if ! "$venv/bin/python" -c "import ${modules// /, }, ${stores// /, }" 2> /dev/null; then
    echo "interop: installing $readers $stores" >&2
    python3 -m venv "$venv"
    # shellcheck disable=SC2086 # one word for each package
    "$venv/bin/pip" install -q --disable-pip-version-check $readers $stores "moto[server]"
fi
"$venv/bin/python" "$here/interop.py" "$binary" "$(dirname "$here")"
exec "$venv/bin/python" -W ignore "$here/interop_stores.py" "$binary" "$(dirname "$here")"
