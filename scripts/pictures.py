"""Draws the pictures of the README from what the example pipelines write.

Usage: pictures.py BINARY REPOSITORY   (needs xarray, netCDF4 and matplotlib)
"""

import pathlib
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import xarray as xr

binary, repository = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()


def run(name, out, **params):
    sets = [word for key, value in params.items() for word in ("--set", f"{key}={value}")]
    command = [binary, "run", repository / "pipelines" / name, "--out", out, "-q", *sets]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


with tempfile.TemporaryDirectory() as folder:
    out = pathlib.Path(folder)
    run("julia.yaml", out, n=1200)
    run("mantle_netcdf.yaml", out, nlat=181, nr=5, nlon=361)
    run("zonal_mean.yaml", out)
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.9), constrained_layout=True)
    julia = xr.open_dataset(out / "julia.nc")
    axes[0].pcolormesh(julia.x, julia.y, julia.stability, cmap="magma", rasterized=True)
    axes[0].set(title="julia.yaml: iterations until escape", xlabel="Re z", ylabel="Im z", aspect="equal")
    velocity = xr.open_dataset(out / "velocity.nc").isel(r=0)
    velocity.vx.plot(ax=axes[1], cmap="RdBu_r", rasterized=True, cbar_kwargs={"label": "cm / year"})
    axes[1].set(title="mantle_netcdf.yaml: vx at the core", xlabel="longitude", ylabel="latitude")
    zonal = xr.open_dataset(out / "zonal_mean.nc")
    zonal.sst.T.plot(ax=axes[2], cmap="viridis", vmin=-2, vmax=30, cbar_kwargs={"label": "°C"})
    axes[2].set(title="zonal_mean.yaml: sea temperature", xlabel="month", ylabel="latitude")
    (repository / "docs").mkdir(exist_ok=True)
    figure.savefig(repository / "docs" / "examples.png", dpi=80)
