"""NetCDF compressed with deflate, level 4, bytes shuffled: reading."""
from harness import rotated
from harness.job import Case, Job, sets

job = Job(
    title="NetCDF with deflate: read",
    story="Reads three shuffled and deflated components, and takes a sum, a maximum and a sum of "
    "squares of them.",
    cases=[Case("60 × 300 × 800 points: 346 MB", {"nlat": 60}, nr=300, nlon=800)],
    # vx sums to almost nothing: as far from 0 as its terms' rounding.
    tolerance={"vy": 0, "vz": 1e-12},
    disk="memory",
    room=0.4,
)


@job.data
def data(case):
    options = {"zlib": True, "complevel": 4, "chunksizes": (1, case.nr, case.nlon)}
    rotated.make(f"{case.data}/deflated.nc", case, **options)


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/netcdf_deflate_read.yaml", *sets(input=f"{case.data}/deflated.nc")]


@job.peer("netCDF4 + NumPy", needs=["netCDF4"])
def netcdf4(case):
    import netCDF4
    import numpy as np

    yield
    with netCDF4.Dataset(f"{case.data}/deflated.nc") as file:
        file.set_auto_mask(False)
        vx, vy, vz = (file[name] for name in ("vx", "vy", "vz"))
        total, most, squares = 0.0, -np.inf, 0.0
        for i in range(case.nlat):
            total += vx[i].sum()
            most = max(most, vy[i].max())
            squares += (vz[i] ** 2).sum()
    yield {"vx": total, "vy": most, "vz": squares}


@job.peer("xarray + Dask, 2 threads", needs=["xarray", "dask", "netCDF4"])
def xarray(case):
    import os

    import dask
    import xarray as xr

    dask.config.set(scheduler="threads", num_workers=int(os.environ["BENCH_THREADS"]))
    yield
    with xr.open_dataset(f"{case.data}/deflated.nc", chunks={"lat": 4}) as file:
        asked = xr.Dataset({"vx": file.vx.sum(), "vy": file.vy.max(), "vz": (file.vz**2).sum()})
        told = asked.compute()
    yield {name: float(told[name]) for name in told}
