"""A small pipeline for every row: of numbers, and of many small files."""
import os

from harness.job import Case, Job, sets

job = Job(
    title="A small pipeline for every row",
    story="`each` runs ten points through one expression and two reductions for every number, or reads "
    "a small file and takes its mean. The peers do the same in a task, a call or a query for each row, "
    "on two cores.",
    cases=[
        Case("Numbers, 1e5 rows", {"rows": 100_000}, of="numbers"),
        Case("CSV, 1e4 files of 20 rows", {"files": 10_000}, of="csv"),
        Case("NetCDF, 1e4 files of 20 points", {"files": 10_000}, of="netcdf"),
    ],
    tolerance={"total": 1e-12, "rows": 0, "most": 0, "files": 0},
)

POINTS = 20


def file_of(case, i):
    ending = "csv" if case.of == "csv" else "nc"
    return f"{case.data}/t{i}.{ending}"


@job.data
def data(case):
    import numpy as np

    random = np.random.default_rng(11)
    if case.of == "numbers":
        return
    for i in range(case.files):
        t = random.random(POINTS)
        if case.of == "csv":
            with open(file_of(case, i), "w") as file:
                file.write("t\n" + "".join(f"{x!r}\n" for x in t.tolist()))
        else:
            import netCDF4

            with netCDF4.Dataset(file_of(case, i), "w") as file:
                file.createDimension("x", POINTS)
                file.createVariable("t", "f8", ("x",))[:] = t


@job.tidemill("Tidemill")
def tidemill(case):
    if case.of == "numbers":
        return ["benches/jobs/each.yaml", *sets(rows=case.rows)]
    return [f"benches/jobs/each_{case.of}.yaml", *sets(folder=case.data, files=case.files)]


def ten(n):
    """What is done for a row of numbers."""
    import numpy as np

    v = np.arange(1, 11) * n
    return int(v.sum()), int(v.max())


def mean(path):
    """What is done for a file, by the tool that its format has."""
    if path.endswith(".csv"):
        import polars as pl

        t = pl.read_csv(path)["t"]
        return t.mean(), len(t)
    import xarray as xr

    with xr.open_dataset(path) as file:
        return float(file["t"].mean()), file["t"].size


def work(case):
    """The function of a row, and the rows."""
    if case.of == "numbers":
        return ten, range(1, case.rows + 1)
    return mean, [file_of(case, i) for i in range(case.files)]


def answer(case, made):
    made = list(made)
    if case.of == "numbers":
        return {"total": sum(s for s, _ in made), "most": max(m for _, m in made), "rows": len(made)}
    return {"total": sum(m for m, _ in made), "rows": sum(n for _, n in made), "files": len(made)}


def threads():
    return int(os.environ["BENCH_THREADS"])


@job.peer("multiprocessing, chunks of 64", needs=["polars", "xarray", "netCDF4"], most_runs=3)
def multiprocess(case):
    from multiprocessing import Pool

    function, rows = work(case)
    with Pool(threads()) as pool:
        pool.map(function, list(rows)[:2])
        yield
        yield answer(case, pool.map(function, rows, chunksize=64))


@job.peer("joblib", needs=["joblib", "polars", "xarray", "netCDF4"], most_runs=3)
def joblib(case):
    from joblib import Parallel, delayed

    function, rows = work(case)
    with Parallel(n_jobs=threads()) as pool:
        pool(delayed(function)(row) for row in list(rows)[:2])
        yield
        yield answer(case, pool(delayed(function)(row) for row in rows))


@job.peer("Ray, a task for each row", needs=["ray", "polars", "xarray", "netCDF4"], scaled=10, most_runs=3)
def ray(case):
    import ray

    ray.init(num_cpus=threads(), include_dashboard=False, log_to_driver=False)
    function, rows = work(case)
    task = ray.remote(function)
    ray.get([task.remote(row) for row in list(rows)[:2]])
    yield
    yield answer(case, ray.get([task.remote(row) for row in rows]))


@job.peer("Python, one process", needs=["polars", "xarray", "netCDF4"], most_runs=3)
def python(case):
    function, rows = work(case)
    function(list(rows)[0])
    yield
    yield answer(case, map(function, rows))
