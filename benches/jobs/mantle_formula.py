"""The mantle's velocity from formulas to a NetCDF file."""
from harness import mantle
from harness.job import Case, Job, sets

job = Job(
    title="Mantle convection: formulas → NetCDF",
    story="The same velocity from its formulas. Tidemill runs the formula as it is written, every sine "
    "and cosine inside it, and the same with them taken out by hand; Numba's code has them taken out. "
    "`dd` writes as many bytes and computes nothing: the floor, for the kernel lets only one thread at a "
    "time write to a file.",
    cases=[Case("500 × 300 × 800 points: 2.88 GB out", {"nlat": 500}, nr=300, nlon=800)],
    tolerance=mantle.TOLERANCE,
    runs=3,
    disk="memory",
    room=2.9,
    memory=True,
)


job.check(lambda case, path: mantle.answer(path))


def sizes(case):
    return sets(nlat=case.nlat, nr=case.nr, nlon=case.nlon)


@job.tidemill("Tidemill, formula as written")
def tidemill(case):
    return ["pipelines/mantle_netcdf.yaml", *sizes(case)]


@job.tidemill("Tidemill, hoisted by hand", variant=True)
def tidemill_hoisted(case):
    return ["benches/jobs/mantle_formula.yaml", *sizes(case)]


@job.command("dd, zeros", variant=True)
def dd(case):
    blocks = -(-3 * 8 * case.nlat * case.nr * case.nlon // (2 << 20))
    return ["dd", "if=/dev/zero", f"of={case.scratch}/zeros", "bs=2M", f"count={blocks}"]


@job.peer("Numba, 2 threads, netCDF4", needs=["numba", "netCDF4"])
def numba(case):
    import numpy as np
    from numba import njit, prange

    @njit(parallel=True)
    def rotate(i, lat, vlat, lon, vlon, vrad, vx, vy, vz):
        sin_lat, cos_lat = np.sin(lat[i]), np.cos(lat[i])
        sin_lon, cos_lon = np.sin(lon), np.cos(lon)
        for j in prange(len(vrad)):
            across = cos_lat * vrad[j] - sin_lat * vlat[i]
            for k in range(len(lon)):
                vx[j, k] = cos_lon[k] * across - sin_lon[k] * vlon[k]
                vy[j, k] = sin_lon[k] * across + cos_lon[k] * vlon[k]
                vz[j, k] = cos_lat * vlat[i] + sin_lat * vrad[j]

    lat, _, lon = map(np.radians, mantle.grid(case))
    vlat, vlon, vrad = mantle.spherical(case)
    slabs = [np.empty((case.nr, case.nlon)) for _ in range(3)]
    rotate(0, lat, vlat, lon, vlon, vrad, *slabs)
    yield
    names = ("vx", "vy", "vz")
    with mantle.define(f"{case.scratch}/out.nc", case, names, contiguous=True) as target:
        target.set_fill_off()
        for i in range(case.nlat):
            rotate(i, lat, vlat, lon, vlon, vrad, *slabs)
            for name, slab in zip(names, slabs):
                target[name][i] = slab
    yield None
