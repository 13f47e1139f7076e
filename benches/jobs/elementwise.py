"""sin(2πa)² + cos(2πa)² over a column, summed."""
from harness.job import Case, Job, sets

job = Job(
    title="Elementwise over a column",
    story="Σ sin(2πa)² + cos(2πa)² over a column of random numbers. Tidemill reads the column from a "
    "file in the page cache; the peers get it in memory, and once more from the file.",
    cases=[Case("1e8 numbers", {"n": 100_000_000})],
    tolerance={"total": 1e-9},
    runs=3,
)

FORMULA = "sin(2 * pi * a)**2 + cos(2 * pi * a)**2"


@job.data
def data(case):
    import netCDF4
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    a = np.random.default_rng(1).random(case.n)
    with netCDF4.Dataset(f"{case.data}/column.nc", "w") as file:
        file.createDimension("x", case.n)
        file.createVariable("a", "f8", ("x",), contiguous=True)[:] = a
    # As others would write it, but for the compression, which random numbers do not allow.
    table = pa.table({"a": a})
    options = {"compression": "none", "use_dictionary": False, "row_group_size": 1 << 20}
    pq.write_table(table, f"{case.data}/column.parquet", **options)


@job.tidemill("Tidemill, NetCDF file")
def tidemill_netcdf(case):
    return ["benches/jobs/elementwise.yaml", *sets(input=f"{case.data}/column.nc")]


@job.tidemill("Tidemill, Parquet file", variant=True)
def tidemill_parquet(case):
    return ["benches/jobs/elementwise.yaml", *sets(input=f"{case.data}/column.parquet")]


def column(case):
    import netCDF4

    with netCDF4.Dataset(f"{case.data}/column.nc") as file:
        return file["a"][:].data


def numexpr_total(a):
    import numexpr as ne
    import numpy as np

    # Its own sum() runs on one core; NumPy's is no slower.
    return float(ne.evaluate(FORMULA, {"a": a, "pi": np.pi}).sum())


def numba_total():
    import math

    import numpy as np
    from numba import njit, prange

    @njit(parallel=True)
    def total(a):
        sum = 0.0
        for i in prange(len(a)):
            x = 2 * math.pi * a[i]
            sum += math.sin(x) ** 2 + math.cos(x) ** 2
        return sum

    total(np.ones(10))
    return total


@job.peer("Numba, 2 threads, in memory", needs=["numba", "netCDF4"])
def numba(case):
    total, a = numba_total(), column(case)
    yield
    yield {"total": total(a)}


@job.peer("Numba, NetCDF file", needs=["numba", "netCDF4"])
def numba_file(case):
    total = numba_total()
    yield
    yield {"total": total(column(case))}


@job.peer("NumExpr, 2 threads, in memory", needs=["numexpr", "netCDF4"])
def numexpr(case):
    a = column(case)
    numexpr_total(a[:1000])
    yield
    yield {"total": numexpr_total(a)}


@job.peer("NumExpr, NetCDF file", needs=["numexpr", "netCDF4"])
def numexpr_file(case):
    import numpy as np

    numexpr_total(np.ones(1000))
    yield
    yield {"total": numexpr_total(column(case))}


@job.peer("NumPy, in memory", needs=["numpy", "netCDF4"])
def numpy(case):
    import numpy as np

    a = column(case)
    yield
    x = 2 * np.pi * a
    yield {"total": (np.sin(x) ** 2 + np.cos(x) ** 2).sum()}
