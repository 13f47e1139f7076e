"""Mutants of input files of every format and layout."""
import subprocess
from pathlib import Path

from mutate import damaged

TOP = Path(__file__).parent.parent.parent
DATA = TOP / "data"
IMAGES = TOP / "crates/formats/tests/image"


class Files:
    def __init__(self, tidemill, root):
        self.bases = root / "bases"
        self.bases.mkdir()
        netcdf(self.bases)
        tables(self.bases)
        (self.bases / "rows.csv").write_text(
            'k,name,x,t\n' + "".join(f'{i},"n {i}",{i / 7},2020-01-{i % 28 + 1:02}\n' for i in range(200)))
        (self.bases / "own.yaml").write_text(
            "steps:\n  - range: { i: 0..500 }\n  - map: { x: sin(i), k: i % 7 }\n  - write: own.parquet\n"
            "  - write: own.arrow\n  - write: own.nc\n    deflate: 4\n")
        subprocess.run([tidemill, "run", "own.yaml", "-q", "--no-state"], cwd=self.bases, check=True)
        kept = [self.bases.glob(p) for p in ("*.nc", "*.parquet", "*.arrow", "*.csv", "own.parquet/*.parquet")]
        self.all = sorted(p for found in kept for p in found if p.is_file()) + sorted(DATA.glob("*.nc"))
        self.all += sorted(p for p in IMAGES.iterdir() if p.suffix in (".png", ".jpg", ".tif"))

    def trial(self, folder, dice, rules):
        base = dice.choice(self.all)
        where = folder / "run"
        (where / f"in{base.suffix}").write_bytes(damaged(base.read_bytes(), dice))
        ending = dice.choice([".arrow", ".csv", ".parquet", ".nc"])
        (where / "p.yaml").write_text(f"steps:\n  - read: in{base.suffix}\n  - write: out{ending}\n")
        if dice.random() < 0.2:
            rules.run(folder, dice.choice(["check", "explain"]), "p.yaml")
        end = rules.run(folder, "run", "p.yaml", "-q", "-w", dice.choice([1, 2]), "--tile", dice.choice([500, 100000]))
        assert end.code in (0, 2, 3), f"exit code {end.code} of a damaged {base.name}: {end.err[:400]}"
        named = (where / f"out{ending}").exists()
        assert named == (end.code == 0), f"exit code {end.code}, and the output is {'there' if named else 'not there'}"


def netcdf(folder):
    """Classic and NetCDF-4 files with chunks, filters, texts, groups, and dimensions without end."""
    import netCDF4
    import numpy as np

    for form in ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA", "NETCDF4", "NETCDF4_CLASSIC"):
        with netCDF4.Dataset(folder / f"{form}.nc", "w", format=form) as d:
            d.title = "a small one"
            d.createDimension("time", None)
            d.createDimension("x", 20)
            t = d.createVariable("time", "f8", ("time",))
            t.units = "days since 2000-01-01"
            v = d.createVariable("v", "f4", ("time", "x"), fill_value=-1)
            p = d.createVariable("p", "i2", ("time", "x"))
            p.scale_factor, p.add_offset = 0.1, 5.0
            c = d.createVariable("c", "S1", ("x",))
            t[:] = np.arange(12)
            v[:] = np.arange(240).reshape(12, 20)
            p[:] = np.arange(240).reshape(12, 20)
            c[:] = np.array(list("abcdefghijklmnopqrst"), "S1")
    for name, options in {
        "deflated": dict(zlib=True, shuffle=True, chunksizes=(5, 8)),
        "checked": dict(zlib=True, fletcher32=True, chunksizes=(5, 8)),
        "plain": dict(contiguous=True),
    }.items():
        with netCDF4.Dataset(folder / f"{name}.nc", "w") as d:
            d.createDimension("y", 24)
            d.createDimension("x", 20)
            d.createVariable("x", "i4", ("x",))[:] = np.arange(20)
            d.createVariable("a", "f8", ("y", "x"), **options)[:] = np.arange(480).reshape(24, 20)
            d.createVariable("k", "u1", ("y", "x"), **options)[:] = np.arange(480).reshape(24, 20) % 200
            s = d.createVariable("s", str, ("x",))
            for i in range(20):
                s[i] = "text " * i
            g = d.createGroup("inner")
            g.createVariable("b", "i8", ("x",))[:] = np.arange(20)


def tables(folder):
    """Parquet and Arrow files with every compression, dictionaries, checksums and nulls."""
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    n = 300
    table = pa.table({
        "i": pa.array([None if k % 11 == 0 else k for k in range(n)], "int64"),
        "f": pa.array([k / 3 for k in range(n)], "float64"),
        "s": pa.array([f"text {k % 13}" for k in range(n)]),
        "b": pa.array([k % 3 == 0 for k in range(n)]),
        "t": pa.array([k * 10**6 for k in range(n)], "timestamp[us]"),
    })
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        pq.write_table(table, folder / f"{codec}.parquet", compression=codec, row_group_size=100,
                       data_page_version="2.0" if codec == "gzip" else "1.0", write_page_checksum=codec == "zstd",
                       use_dictionary=codec != "none", write_page_index=codec == "snappy")
    encoded = table.set_column(2, "s", table["s"].dictionary_encode())
    for codec in ("uncompressed", "lz4", "zstd"):
        feather.write_feather(encoded if codec == "zstd" else table, folder / f"{codec}.arrow", compression=codec,
                              chunksize=90)
