"""Parquet on a web server that takes 50 ms to answer, and sends 100 MB a second."""
from harness import stores, tables
from harness.job import Case, Job, sets

job = Job(
    title="From a store: Parquet, 50 ms to an answer, 100 MB/s",
    story="Counts and sums a column of a file with 200 small row groups on a web server on this machine, which waits "
    "50 ms before each answer, and sends at most 100 MB a second in all. Opening the file is not counted, but for Polars.",
    cases=[Case("5e6 rows, 39 MB of them read", {"rows": 5_000_000})],
    tolerance={"n": 0, "v": 1e-10},
    runs=3,
)


@job.data
def data(case):
    import pyarrow.parquet as pq

    path = f"{case.data}/rows.parquet"
    tables.make(path, case)
    # Many small groups, as writers of streams make them.
    pq.write_table(pq.read_table(path), path, row_group_size=25_000)


def address(case):
    return f"{stores.serve(case.data)}/rows.parquet"


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/store.yaml", *sets(input=address(case))]


@job.peer("pyarrow, one request after the other", needs=["pyarrow"], most_runs=1)
def in_turn(case):
    import pyarrow.parquet as pq

    file = pq.ParquetFile(stores.InTurn(address(case)), pre_buffer=False)
    yield
    groups = [file.read_row_group(i, columns=["v"]) for i in range(file.num_row_groups)]
    values = [group["v"].to_numpy() for group in groups]
    yield {"n": sum(map(len, values)), "v": float(sum(v.sum() for v in values))}


@job.peer("Polars", needs=["polars"])
def polars(case):
    import polars as pl

    at = address(case)
    yield
    found = pl.scan_parquet(at).select(pl.len().alias("n"), pl.col("v").sum()).collect()
    yield {"n": int(found["n"][0]), "v": float(found["v"][0])}


@job.peer("pyarrow + fsspec", needs=["pyarrow", "fsspec", "aiohttp"])
def pyarrow(case):
    import fsspec
    import pyarrow.parquet as pq

    with fsspec.open(address(case), cache_type="none") as raw:
        file = pq.ParquetFile(raw, pre_buffer=True)
        yield
        values = file.read(columns=["v"])["v"].to_numpy()
        yield {"n": len(values), "v": float(values.sum())}
