"""NetCDF compressed with deflate, level 4, bytes shuffled: writing."""
from harness import mantle, rotated
from harness.job import Case, Job, sets

job = Job(
    title="NetCDF with deflate: write",
    story="Three components of the rotated velocity, shuffled and deflated at level 4. Tidemill reads "
    "them from an uncompressed file first; netCDF4 has them in memory.",
    cases=[Case("60 × 300 × 800 points: 346 MB", {"nlat": 60}, nr=300, nlon=800)],
    tolerance=mantle.TOLERANCE,
    runs=3,
    disk="memory",
    room=1.0,
)


@job.data
def data(case):
    rotated.make(f"{case.data}/velocity.nc", case, contiguous=True)


job.check(lambda case, path: mantle.answer(path))


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/netcdf_deflate_write.yaml", *sets(input=f"{case.data}/velocity.nc")]


@job.peer("netCDF4, in memory", needs=["netCDF4"])
def netcdf4(case):
    import netCDF4

    names = ("vx", "vy", "vz")
    with netCDF4.Dataset(f"{case.data}/velocity.nc") as file:
        values = [file[name][:].data for name in names]
    yield
    # A latitude is a chunk: what is written at once is compressed once.
    options = {"zlib": True, "complevel": 4, "chunksizes": (1, case.nr, case.nlon)}
    with mantle.define(f"{case.scratch}/out.nc", case, names, **options) as file:
        file.set_fill_off()
        for name, array in zip(names, values):
            file[name][:] = array
    yield None


@job.peer("xarray + Dask, 2 threads", needs=["xarray", "dask", "netCDF4"], most_runs=2)
def xarray(case):
    import os

    import dask
    import xarray as xr

    dask.config.set(scheduler="threads", num_workers=int(os.environ["BENCH_THREADS"]))
    with xr.open_dataset(f"{case.data}/velocity.nc") as file:
        source = file.load().chunk({"lat": 4})
    yield
    options = {"zlib": True, "complevel": 4, "chunksizes": (1, case.nr, case.nlon), "_FillValue": None}
    source.to_netcdf(f"{case.scratch}/out.nc", encoding={v: options for v in source})
    yield None
