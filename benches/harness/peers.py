"""The virtual environment of the peers, what is in it, and the job files."""
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

from .job import TOP

# From PyPI. One that cannot be installed is missing from the tables, which say so.
PACKAGES = [
    "numpy", "numba", "numexpr", "scipy", "xarray", "dask", "netCDF4", "polars", "duckdb", "ray",
    "pyarrow", "pillow", "fsspec", "aiohttp", "h5netcdf",
]


def load(name):
    """The job of a job file."""
    return importlib.import_module(f"jobs.{name}").job


def names():
    """All job files, in the order of the page."""
    files = [p.stem for p in (TOP / "benches" / "jobs").glob("[a-z]*.py")]
    order = [line.strip() for line in (TOP / "benches" / "jobs" / "order.txt").read_text().split()]
    return sorted(files, key=lambda n: (order.index(n) if n in order else len(order), n))


def environment(folder):
    """The peers' Python: that of `PEERS=`, or of a virtual environment that is made once."""
    if os.environ.get("PEERS"):
        return Path(os.environ["PEERS"]).absolute()
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        print("installing the peers, once", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    there = versions(python)
    for package in [p for p in PACKAGES if p not in there and p not in gave_up(folder)]:
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package]
        if subprocess.run(pip, check=False).returncode:
            print(f"{package} cannot be installed: left out", file=sys.stderr)
            (folder / "not-installed").open("a").write(package + "\n")
    return python


def gave_up(folder):
    """Packages that could not be installed; delete the file to try again."""
    file = folder / "not-installed"
    return file.read_text().split() if file.exists() else []


def versions(python):
    """The peers that are there, and Python itself, with their versions."""
    code = (
        "import json, sys, importlib.metadata as m\n"
        "found = {'python': sys.version.split()[0]}\n"
        "for p in sys.argv[1:]:\n"
        "    try: found[p] = m.version(p)\n"
        "    except m.PackageNotFoundError: pass\n"
        "print(json.dumps(found))"
    )
    out = subprocess.run([python, "-c", code, *PACKAGES], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)
