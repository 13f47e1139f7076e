"""The mantle's velocity in a file: spherical components in, Cartesian components out."""
from harness import mantle
from harness.job import Case, Job, sets

job = Job(
    title="Mantle convection: NetCDF → rotate → NetCDF",
    story="Reads three components over lat × r × lon, rotates them, writes three. `cp` of the input is "
    "the floor: as many bytes read and written, and nothing done with them.",
    cases=[Case("500 × 300 × 800 points: 2.88 GB in, 2.88 GB out", {"nlat": 500}, nr=300, nlon=800)],
    tolerance=mantle.TOLERANCE,
    runs=3,
    disk="memory",
    room=5.8,
    memory=True,
)


@job.data
def data(case):
    mantle.make(f"{case.data}/mantle.nc", case, contiguous=True)


job.check(lambda case, path: mantle.answer(path))


@job.tidemill("Tidemill")
def tidemill(case):
    return ["pipelines/mantle_from_file.yaml", *sets(input=f"{case.data}/mantle.nc")]


@job.command("cp", variant=True)
def cp(case):
    return ["cp", f"{case.data}/mantle.nc", f"{case.scratch}/copy.nc"]


@job.peer("netCDF4 + NumPy, a latitude at a time", needs=["netCDF4", "numpy"])
def numpy(case):
    import netCDF4
    import numpy as np

    yield
    with netCDF4.Dataset(f"{case.data}/mantle.nc") as source:
        source.set_auto_mask(False)
        lat, lon = np.radians(source["lat"][:]), np.radians(source["lon"][:])
        sin_lon, cos_lon = np.sin(lon), np.cos(lon)
        names = ("vx", "vy", "vz")
        with mantle.define(f"{case.scratch}/out.nc", case, names, contiguous=True) as target:
            target.set_fill_off()
            for i, (sin_lat, cos_lat) in enumerate(zip(np.sin(lat), np.cos(lat))):
                vlat, vlon, vrad = (source[v][i] for v in ("vlat", "vlon", "vrad"))
                across = cos_lat * vrad - sin_lat * vlat
                target["vx"][i] = cos_lon * across - sin_lon * vlon
                target["vy"][i] = sin_lon * across + cos_lon * vlon
                target["vz"][i] = cos_lat * vlat + sin_lat * vrad
    yield None


@job.peer("xarray + Dask, 2 threads", needs=["xarray", "dask", "netCDF4"], most_runs=2)
def xarray(case):
    import os

    import dask
    import numpy as np
    import xarray as xr

    dask.config.set(scheduler="threads", num_workers=int(os.environ["BENCH_THREADS"]))
    yield
    with xr.open_dataset(f"{case.data}/mantle.nc", chunks={"lat": 20}) as source:
        lat, lon = np.radians(source.lat), np.radians(source.lon)
        across = np.cos(lat) * source.vrad - np.sin(lat) * source.vlat
        out = xr.Dataset(
            {
                "vx": np.cos(lon) * across - np.sin(lon) * source.vlon,
                "vy": np.sin(lon) * across + np.cos(lon) * source.vlon,
                "vz": np.cos(lat) * source.vlat + np.sin(lat) * source.vrad,
            }
        ).transpose("lat", "r", "lon")
        out.to_netcdf(f"{case.scratch}/out.nc", encoding={v: {"_FillValue": None} for v in out})
    yield None
