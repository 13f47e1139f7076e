"""What others read of what Tidemill wrote: every value against NumPy.

And Python as an operator of pipelines: the tests of the module and of the examples that use it.

Usage: interop.py BINARY REPOSITORY
Runs pipelines in a temporary folder and opens the results with xarray, netCDF4, pyarrow, polars,
duckdb and Pillow. Ends with exit code 1 at the first difference.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb
import netCDF4
import numpy as np
import polars as pl
import pyarrow.dataset
import pyarrow.ipc
import pyarrow.parquet
import xarray as xr
from PIL import Image

BINARY, REPOSITORY = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
PIPELINES = REPOSITORY / "pipelines"
GRID = {"nlat": 19, "nr": 7, "nlon": 31}


def run(pipeline, out, *arguments, **params):
    """Runs a pipeline (a file, or a text with `steps:`) and gives its results."""
    if isinstance(pipeline, str):
        path = out / "pipeline.yaml"
        path.write_text(pipeline)
        pipeline = path
    sets = [word for name, value in params.items() for word in ("--set", f"{name}={value}")]
    command = [BINARY, "run", pipeline, "--out", out, "--format", "json", "--overwrite", "--no-state", "-q"]
    done = subprocess.run([*map(str, command), *arguments, *sets], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["results"]


def equal(what, got, expected, tolerance=0.0):
    """Compares every value; NaN equals NaN."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, not {expected.shape}"
    if tolerance:
        same = np.isclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    else:
        both_nan = (got != got) & (expected != expected)
        same = (got == expected) | both_nan
    wrong = np.argwhere(~same)
    first = tuple(wrong[0]) if len(wrong) else ()
    assert not len(wrong), f"{what}: {len(wrong)} values differ, first {got[first]} not {expected[first]}"


def mantle(nlat, nr, nlon):
    """Coordinates and Cartesian velocity, as the README's formula says."""
    lat, r, lon = np.linspace(-90, 90, nlat), np.linspace(3485, 6371, nr), np.linspace(0, 360, nlon)

    def p2(x):
        return (3 * x**2 - 1) / 2

    def p3(x):
        return (5 * x**3 - 3 * x) / 2

    vlat = p3(lat / 90)[:, None, None]
    vrad = p3((r - 4928) / 1443)[None, :, None]
    vlon = p2(lon / 180 - 1)[None, None, :]
    theta, phi = np.radians(lat)[:, None, None], np.radians(lon)[None, None, :]
    sin, cos = np.sin, np.cos
    vx = -sin(phi) * vlon - sin(theta) * cos(phi) * vlat + cos(theta) * cos(phi) * vrad
    vy = cos(phi) * vlon - sin(theta) * sin(phi) * vlat + cos(theta) * sin(phi) * vrad
    vz = cos(theta) * vlat + sin(theta) * vrad + 0 * vlon
    return (lat, r, lon), {"vx": vx, "vy": vy, "vz": vz}


def mantle_netcdf(tmp):
    """Threads and processes write the same file, and xarray and netCDF4 read what NumPy computes."""
    axes, velocity = mantle(**GRID)
    files = []
    for name, arguments in [("threads", ["-w", "3"]), ("processes", ["-n", "2", "-w", "1", "--tile", "100"])]:
        out = tmp / name
        out.mkdir()
        run(PIPELINES / "mantle_netcdf.yaml", out, *arguments, **GRID)
        files.append(out / "velocity.nc")
    for path in files:
        with xr.open_dataset(path) as data:
            assert data["vx"].dims == ("lat", "r", "lon"), data["vx"].dims
            assert data.attrs["Conventions"].startswith("CF-1."), data.attrs
            assert data["vx"].attrs["units"] == "cm year-1"
            for axis, values in zip(("lat", "r", "lon"), axes):
                equal(axis, data[axis], values, 1e-15)
                assert "_FillValue" not in data[axis].encoding, axis
            for variable, values in velocity.items():
                equal(variable, data[variable], values, 1e-12)
    with netCDF4.Dataset(files[0]) as one, netCDF4.Dataset(files[1]) as other:
        for variable in velocity:
            assert one[variable][...].tobytes() == other[variable][...].tobytes(), variable


def mantle_parquet(tmp):
    """Every reader finds the same rows."""
    (lat, r, lon), velocity = mantle(**GRID)
    run(PIPELINES / "mantle_parquet.yaml", tmp, "-w", "2", "--tile", "500", **GRID)
    folder = tmp / "velocity.parquet"
    places = np.meshgrid(lat, r, lon, indexing="ij")
    columns = dict(zip(("lat", "r", "lon"), places)) | velocity
    parts = f"{folder}/*.parquet"
    readers = {
        "pyarrow": pl.from_arrow(pyarrow.parquet.read_table(folder)),
        "pyarrow dataset": pl.from_arrow(pyarrow.dataset.dataset(folder).to_table()),
        "polars": pl.read_parquet(folder),
        "duckdb": pl.from_arrow(duckdb.sql(f"from '{parts}'").to_arrow_table()),
    }
    order = ["lat", "r", "lon"]
    for reader, rows in readers.items():
        rows = rows.sort(order)
        for name, values in columns.items():
            tolerance = 1e-15 if name in order else 1e-12
            equal(f"{reader} {name}", rows[name].to_numpy(), values.ravel(), tolerance)


def slow_series(tmp):
    """The sum is that of math.fsum, to the last bit, on threads and processes."""
    terms = [1 / k for k in range(1, 100_001) if "42" not in str(k)]
    for arguments in [["-w", "1"], ["-w", "3", "--tile", "777"], ["-n", "2", "-w", "2"]]:
        results = run(PIPELINES / "slow_series.yaml", tmp, *arguments, n=100_000, digits="42")
        (rows,) = results.values()
        assert rows == [{"total": math.fsum(terms), "terms": len(terms)}], rows


def group_by(tmp):
    """Means of groups are those of exact sums; polars says who is in which group."""
    out = run(PIPELINES / "groupby.yaml", tmp, "-n", "2", "-w", "2")
    (rows,) = out.values()
    data = pl.read_parquet(REPOSITORY / "data/stations/*.parquet")
    data = data.with_columns(month=pl.col("time").dt.month()).drop_nulls("t")
    expected = {}
    for (station, month), group in data.group_by(["station", "month"]):
        values = group["t"].cast(pl.Float64).to_list()
        expected[station, month] = (len(values), math.fsum(values) / len(values))
    assert len(rows) == len(expected), (len(rows), len(expected))
    for row in rows:
        key = [value for name, value in row.items() if name not in ("t", "spread", "n")]
        n, mean = expected[tuple(key)]
        assert row["n"] == n and math.isclose(row["t"], mean, rel_tol=1e-15), (row, n, mean)


def zonal_mean(tmp):
    """Packed and missing values are decoded as xarray does."""
    run(PIPELINES / "zonal_mean.yaml", tmp)
    with xr.open_dataset(REPOSITORY / "data/coads_sst.nc", decode_times=False) as data:
        sst = data["sst"].astype("float64")
        mean, boxes = sst.mean("lon"), sst.count("lon")
    with xr.open_dataset(tmp / "zonal_mean.nc", decode_times=False) as data:
        equal("boxes", data["boxes"], boxes)
        equal("sst", data["sst"].astype("float64"), mean, 1e-6)


def anomaly(tmp):
    """A box less its own mean, as xarray computes it."""
    run(PIPELINES / "anomaly.yaml", tmp, "-n", "2", "--tile", "lat=7,month=5")
    with xr.open_dataset(REPOSITORY / "data/coads_sst.nc", decode_times=False) as data:
        sst = data["sst"].astype("float64")
        expected = sst - sst.mean("month")
    with xr.open_dataset(tmp / "anomaly.nc", decode_times=False) as data:
        equal("anomaly", data["anomaly"], expected.transpose(*data["anomaly"].dims), 1e-12)


JOIN = """
steps:
  - read: {tmp}/left.parquet
    as: left
  - read: {tmp}/right.parquet
    as: right
  - join: [s, x]
    from: [left, right]
    how: {how}
  - write: out.arrow
"""


def joins(tmp):
    """Keys with gaps and NaN, many matches or none: the rows of polars, in its order."""
    random = np.random.default_rng(3)

    def side(n, name):
        texts, floats = ["a", "b", None, "c"], [0.0, 1.5, float("nan"), None, -0.0, 7.0]
        return pl.DataFrame({
            "s": pl.Series([texts[i] for i in random.integers(0, 4, n)], dtype=pl.String),
            "x": pl.Series([floats[i] for i in random.integers(0, 6, n)], dtype=pl.Float64),
            name: np.arange(n),
        })

    left, right = side(300, "l"), side(40, "r").filter(pl.col("s") != "c")
    left.write_parquet(tmp / "left.parquet")
    right.write_parquet(tmp / "right.parquet")
    for how in ["inner", "left", "semi", "anti"]:
        order = {"maintain_order": "left_right"} if how in ("inner", "left") else {}
        expected = left.join(right, on=["s", "x"], how=how, **order)
        for arguments in [["-w", "1"], ["-n", "2", "-w", "2", "--tile", "17"]]:
            run(JOIN.format(tmp=tmp, how=how), tmp, *arguments)
            got = pl.from_arrow(pyarrow.ipc.open_file(tmp / "out.arrow").read_all())
            assert got.columns == expected.columns, (how, got.columns)
            for column in got.columns:
                assert got[column].equals(expected[column], null_equal=True), (how, column)


PARTS = """
steps:
  - range: { i: 0..10000 }
  - map: { k: i * 7919 % 1000 }
  - map: { s: "where(k % 7 == 0, null, where(k % 2 == 0, 'even', 'odd'))" }
  - as: parts
    partition: [k, s]
    into: 6
    how: HOW
  - write: out.parquet
"""


def parts(tmp):
    """Equal keys are in one part, rows in their order, ranges one after the other; the same on all workers."""
    for how in ["hash", "range"]:
        seen = []
        for arguments in [["-w", "1"], ["-n", "2", "-w", "2", "--tile", "170"]]:
            run(PARTS.replace("HOW", how), tmp, *arguments)
            files = sorted((tmp / "out.parquet").glob("*.parquet"))
            assert [f.name for f in files] == [f"part-{i:05}.parquet" for i in range(6)], files
            seen.append([pl.read_parquet(f) for f in files])
        assert all(a.equals(b) for a, b in zip(*seen)), how
        homes = {}
        for at, part in enumerate(seen[0]):
            assert part["i"].is_sorted() and 1000 < len(part) < 2400, (how, at, len(part))
            assert all(homes.setdefault(k, at) == at for k in part["k"].unique()), how
        assert len(homes) == 1000
        if how == "range":
            assert [homes[k] for k in sorted(homes)] == sorted(homes.values())


TYPES = """
steps:
  - range: { i: 0..100 }
  - map:
      b: i %% 3 == 0
      small: int32(i)
      big: i * 10000000000
      single: float32(i) / 3
      double: where(i %% 7 == 0, null, i / 7)
  - as: rows
    write: %s
    %s
"""


CHUNKS = """
steps:
  - grid: { y: 0..40, x: 0..30 }
  - map: { a: "sin(y * 0.3) * x", b: "where(x == 7, null, y + x)" }
  - as: grid
    write: %s.nc
    %s: 4
"""


def compressed(tmp):
    """Chunks of both kinds read as NumPy computes them; threads and processes write the same."""
    y, x = np.meshgrid(np.arange(40), np.arange(30), indexing="ij")
    expected = {"a": np.sin(y * 0.3) * x, "b": np.where(x == 7, np.nan, y + x)}
    for codec in ["deflate", "zstd"]:
        stored = []
        for name, arguments in [("threads", ["-w", "2"]), ("processes", ["-n", "2", "-w", "1"])]:
            run(CHUNKS % (f"{name}-{codec}", codec), tmp, "--tile", "y=7,x=30", *arguments)
            path = tmp / f"{name}-{codec}.nc"
            with netCDF4.Dataset(path) as data:
                filters = data["a"].filters()
                assert filters["shuffle"] and filters["zlib" if codec == "deflate" else "zstd"], filters
                data.set_auto_mask(False)
                stored.append({column: data[column][...].tobytes() for column in expected})
            with xr.open_dataset(path) as data:
                for column, values in expected.items():
                    equal(f"{codec} {column}", data[column], values, 1e-15)
        assert stored[0] == stored[1], codec


def formats(tmp):
    """All types, and missing values, in all formats."""
    i = np.arange(100)
    expected = {
        "i": i,
        "b": i % 3 == 0,
        "small": i,
        "big": i * 10_000_000_000,
        "single": i.astype("f4") / np.float32(3),
        "double": np.where(i % 7 == 0, np.nan, i / 7),
    }
    readers = {
        "out.parquet": lambda path: pl.read_parquet(path),
        "out.arrow": lambda path: pl.from_arrow(pyarrow.ipc.open_file(path).read_all()),
        "out.csv": lambda path: pl.read_csv(path),
    }
    for name, read in readers.items():
        run(TYPES % (name, ""), tmp, "-w", "2", "--tile", "13")
        rows = read(tmp / name).sort("i")
        for column, values in expected.items():
            got = rows[column].to_numpy()
            equal(f"{name} {column}", got, values, 1e-7 if (name, column) == ("out.csv", "single") else 0.0)
    run(TYPES % ("out.nc", "deflate: 4"), tmp, "-n", "2", "--tile", "13")
    with xr.open_dataset(tmp / "out.nc") as data:
        for column, values in expected.items():
            equal(f"out.nc {column}", data[column], values)


SOUGHT = """
steps:
  - read: %s
  - filter: i >= 700 and i < 900 and s < 'word-0850' and not isnull(x)
  - reduce: { n: count(), total: sum(x), first: first(i), last: last(i) }
"""


def parquet_of_others(tmp):
    """Whatever wrote a file and however it is packed, it is read right, and only where it must be."""
    i = np.arange(2000)
    x = np.where(i % 3 == 0, np.nan, i / 7)
    table = pl.DataFrame({"i": i, "x": x, "s": [f"word-{n:04}" for n in i]})
    table = table.with_columns(x=pl.col("x").fill_nan(None))
    arrow = table.to_arrow()
    kept = (i >= 700) & (i < 850) & (i % 3 != 0)
    expected = {"n": int(kept.sum()), "total": math.fsum(x[kept]), "first": 700, "last": 848}

    def by_pyarrow(path, codec):
        options = {"row_group_size": 500, "data_page_size": 512, "write_page_index": True}
        pyarrow.parquet.write_table(arrow, path, compression=codec, **options)

    def by_polars(path, codec):
        table.write_parquet(path, compression=codec, row_group_size=500)

    def by_duckdb(path, codec):
        codec = "lz4_raw" if codec == "lz4" else codec
        duckdb.from_arrow(arrow).write_parquet(str(path), compression=codec, row_group_size=2048)

    writers = {"polars": by_polars, "duckdb": by_duckdb, "pyarrow": by_pyarrow}
    for writer, write in writers.items():
        for codec in ["zstd", "snappy", "gzip", "lz4", "uncompressed"]:
            path = tmp / f"{writer}-{codec}.parquet"
            write(path, "none" if (writer, codec) == ("pyarrow", "uncompressed") else codec)
            for tile in ["77", "1000000"]:
                (rows,) = run(SOUGHT % path, tmp, "-w", "2", "--tile", tile).values()
                assert rows == [expected], (path, rows)
    plan = subprocess.run([BINARY, "explain", tmp / "pipeline.yaml"], stdout=subprocess.PIPE, check=True)
    assert b"prune-rows: 1 of 4 row groups" in plan.stdout, plan.stdout.decode()


def parquet_bloom(tmp):
    """Others use the bloom filters and statistics that are written."""
    run("""
steps:
  - range: { i: 0..1000 }
  - map:
      k: i * 7919 % 1000003
      s: where(i % 2 == 0, 'even', 'odd')
  - write: out.parquet
    bloom: [k, s]
""", tmp, "--tile", "250")
    rows = duckdb.sql(f"select i from '{tmp}/out.parquet/*.parquet' where k = {123 * 7919} and s = 'odd'").fetchall()
    assert rows == [(123,)], rows
    part = pyarrow.parquet.ParquetFile(tmp / "out.parquet/part-00000.parquet").metadata.row_group(0)
    assert part.column(1).has_offset_index and part.column(1).has_column_index
    assert part.column(0).statistics.max == 249
    probe = duckdb.sql(f"from parquet_bloom_probe('{tmp}/out.parquet/part-00000.parquet', 'k', 5)").fetchall()
    assert all(excludes for *_, excludes in probe), probe


IMAGE = """
steps:
  - grid: { y: 0..41, x: 0..37%s }
  - map: { v: %s }
  - write: out.%s
    bits: %d
"""


def images(tmp):
    """Pillow reads what is written, and is read."""
    y, x, band = np.meshgrid(np.arange(41), np.arange(37), np.arange(4), indexing="ij")
    for bands, ending, bits in [(1, "png", 8), (2, "png", 8), (3, "png", 8), (4, "png", 8), (1, "png", 16),
                                (1, "tif", 8), (3, "tif", 8), (4, "tif", 8), (1, "tif", 16)]:
        scale = 1 if bits == 8 else 251
        formula = f"int32((y * 7 + x * 3 + {'band' if bands > 1 else 0} * 50) % 256 * {scale})"
        run(IMAGE % (f", band: 0..{bands}" if bands > 1 else "", formula, ending, bits), tmp, "--tile", "500")
        expected = ((y * 7 + x * 3 + band * 50) % 256 * scale)[..., :bands].squeeze()
        equal(f"{bands} bands of {bits} bits in {ending}", Image.open(tmp / f"out.{ending}"), expected)
    # Smooth, so that what JPEG leaves out does not show.
    expected = ((y + x)[..., :3] + np.arange(3) * 40).astype("u1")
    Image.fromarray(expected).save(tmp / "in.jpg", quality=100, subsampling=0)
    run(f"steps:\n  - read: {tmp}/in.jpg\n  - write: out.jpg\n    quality: 100\n", tmp)
    off = np.abs(np.asarray(Image.open(tmp / "out.jpg")).astype(int) - expected)
    assert off.max() <= 6, off.max()


def python_operator(tmp):
    """A Python function is an operator: the module, the example, and the same bits on any workers."""
    module = REPOSITORY / "python"
    bare = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-m", "unittest", "discover", "-q", "-s", module / "tests"], check=True, env=bare)
    folders = [str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]
    os.environ.update(PATH=os.pathsep.join(folders), PYTHONPATH=str(module), PYTHONDONTWRITEBYTECODE="1")
    subprocess.run([BINARY, "test", *PIPELINES.glob("*_python.yaml")], check=True)
    (tmp / "halves.py").write_text("""
from tidemill import operator

def halves(batch):
    x = batch["x"].to_numpy()
    return {"k": batch["k"].filter(x > 0.5), "half": x[x > 0.5] / 2}

operator.run(halves)
""")
    pipeline = """
steps:
  - range: { k: 0..300000 }
  - map: { x: sin(k) }
  - stream: [python3, halves.py]
  - reduce: { n: count(), total: sum(half), first: first(k), last: last(k) }
"""
    x = np.sin(np.arange(300000))
    kept = np.flatnonzero(x > 0.5)
    results = [run(pipeline, tmp, *args) for args in (["-w", "1"], ["-w", "3"], ["-n", "2", "-w", "1"], ["-w", "2", "--tile", "777"])]
    assert all(result == results[0] for result in results), results
    (row,) = results[0]["reduce"]
    assert (row["n"], row["first"], row["last"]) == (len(kept), kept[0], kept[-1]), row
    equal("halves", row["total"], math.fsum(x[kept] / 2), 1e-12)


def main():
    parquet = [mantle_parquet, parquet_of_others, parquet_bloom]
    for case in [mantle_netcdf, *parquet, slow_series, group_by, joins, parts, zonal_mean, anomaly, compressed, formats,
                 images, python_operator]:
        with tempfile.TemporaryDirectory() as tmp:
            case(pathlib.Path(tmp))
        print(f"interop {case.__name__}: ok", flush=True)


main()
