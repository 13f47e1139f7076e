"""NetCDF in chunks on a web server that takes 50 ms to answer, and sends 100 MB a second."""
import os

from harness import rotated, stores
from harness.job import Case, Job, sets

job = Job(
    title="From a store: NetCDF, 50 ms to an answer, 100 MB/s",
    story="Reads three shuffled and deflated components of a file on a web server on this machine, which waits 50 ms "
    "before each answer, and sends at most 100 MB a second in all. Opening the file is not counted.",
    cases=[Case("60 × 300 × 800 points, in 540 chunks", {"nlat": 60}, nr=300, nlon=800)],
    # vx sums to almost nothing: as far from 0 as its terms' rounding.
    tolerance={"vy": 0, "vz": 1e-12},
    runs=3,
)


@job.data
def data(case):
    options = {"zlib": True, "complevel": 1, "chunksizes": (1, max(1, case.nr // 3), case.nlon)}
    rotated.make(f"{case.data}/chunks.nc", case, **options)


def address(case):
    return f"{stores.serve(case.data)}/chunks.nc"


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/store_netcdf.yaml", *sets(input=address(case))]


@job.peer("h5netcdf, one request after the other", needs=["h5netcdf"], most_runs=1)
def in_turn(case):
    import h5netcdf
    import numpy as np

    with h5netcdf.File(stores.InTurn(address(case)), "r") as file:
        vx, vy, vz = (file[name] for name in ("vx", "vy", "vz"))
        yield
        total, most, squares = 0.0, -np.inf, 0.0
        for i in range(case.nlat):
            total += vx[i].sum()
            most = max(most, vy[i].max())
            squares += (vz[i] ** 2).sum()
        yield {"vx": total, "vy": most, "vz": squares}


@job.peer("xarray + h5netcdf + fsspec, 2 threads", needs=["xarray", "dask", "h5netcdf", "fsspec", "aiohttp"])
def xarray(case):
    import dask
    import fsspec
    import xarray as xr

    dask.config.set(scheduler="threads", num_workers=int(os.environ["BENCH_THREADS"]))
    with fsspec.open(address(case)) as raw, xr.open_dataset(raw, engine="h5netcdf", chunks={"lat": 1}) as file:
        yield
        asked = xr.Dataset({"vx": file.vx.sum(), "vy": file.vy.max(), "vz": (file.vz**2).sum()})
        told = asked.compute()
        yield {key: float(told[key]) for key in told}
