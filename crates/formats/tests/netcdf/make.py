"""Makes the NetCDF files of this folder: all layouts, chunk indices, filters and types."""
import os
import h5py
import netCDF4
import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(7)
TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def values(shape, kind):
    return (rng.random(shape) * 100).astype(kind)


for form in ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA", "NETCDF4", "NETCDF4_CLASSIC"]:
    with netCDF4.Dataset(f"types_{form.lower()}.nc", "w", format=form) as d:
        d.title = "all types"
        d.numbers = np.array([1, 2, 3], "i2")
        d.half = 0.5
        d.setncattr("empty", "")
        d.createDimension("t", None)
        d.createDimension("x", 5)
        d.createDimension("n", 4)
        few = TYPES if form in ["NETCDF4", "NETCDF3_64BIT_DATA"] else ["i1", "i2", "i4", "f4", "f8"]
        for k in few:
            d.createVariable(f"fix_{k}", k, ("x",))[:] = values(5, k)
            v = d.createVariable(f"rec_{k}", k, ("t", "x"))
            v.units = "m"
            v.valid = np.array([1, 2], k)
            v[:] = values((3, 5), k)
        d.createVariable("word", "S1", ("x", "n"))[:] = np.array([list("abc "), list("de\0\0")] + [list("wxyz")] * 3, "S1")
        d.createVariable("one", "f8", ())[:] = 3.5
        if form == "NETCDF4":
            d.createVariable("text", str, ("x",))[:] = np.array(["a", "", "ünï", "longer text", "z"], object)
            e = d.createEnumType("u1", "colour", {"red": 1, "blue": 2})
            d.createVariable("enum", e, ("x",))[:] = 1
            c = d.createCompoundType(np.dtype([("a", "f4"), ("b", "i2")]), "pair")
            d.createVariable("compound", c, ("x",))
            d.createVariable("vlen", d.createVLType("i4", "list"), ("x",))
            d.texts = ["one", "two"]
            d.createVariable("big", "f4", ("x",), endian="big")[:] = values(5, "f4")
            d.createVariable("bigchunk", "i2", ("t", "x"), endian="big", zlib=True)[:] = values((3, 5), "i2")

with netCDF4.Dataset("groups.nc", "w") as d:
    d.createDimension("t", None)
    d.createDimension("x", 3)
    d.createVariable("x", "i4", ("x",))[:] = [1, 2, 3]
    g = d.createGroup("a")
    g.name_of = "a"
    g.createDimension("y", 2)
    g.createVariable("v", "f4", ("y", "x"))[:] = values((2, 3), "f4")
    g.createVariable("grown", "f4", ("t", "x"))[:] = values((4, 3), "f4")
    h = g.createGroup("deep")
    h.createDimension("x", 7)
    h.createVariable("x", "f8", ("x",))[:] = values(7, "f8")
    h.createVariable("w", "f8", ("y", "x"))[:] = values((2, 7), "f8")
    d.createVariable("short", "f4", ("t", "x"))[:] = values((2, 3), "f4")
    d.createVariable("never", "f4", ("t", "x"))
    d.createVariable("nofill", "f4", ("x",), fill_value=False)[:] = 1
    # A variable called as a dimension that it does not vary along; one with two dimensions.
    d.createVariable("t", "S1", ("t", "x"))
    g.createVariable("y", "f4", ("x",))[:] = [1, 2, 3]

with netCDF4.Dataset("dense.nc", "w") as d:
    d.createDimension("x", 2)
    v = d.createVariable("v", "f4", ("x",))
    for i in range(30):
        v.setncattr(f"attribute{i:02}", f"text {i}" * 3)
    v.setncattr("long", "x" * 5000)
    for i in range(20):
        d.createVariable(f"w{19 - i:02}", "i2", ("x",))[:] = [i, i + 1]

with netCDF4.Dataset("filters.nc", "w") as d:
    d.createDimension("y", 13)
    d.createDimension("x", 11)
    kinds = {
        "deflate": dict(zlib=True, shuffle=False),
        "shuffled": dict(zlib=True, shuffle=True),
        "summed": dict(zlib=True, shuffle=True, fletcher32=True),
        "onlysum": dict(fletcher32=True),
        "zstd": dict(compression="zstd"),
        "szip": dict(compression="szip"),
    }
    for name, options in kinds.items():
        for k in ["i2", "f8"]:
            try:
                v = d.createVariable(f"{name}_{k}", k, ("y", "x"), chunksizes=(10, 8), **options)
                v[:] = values((13, 11), k)
            except RuntimeError as error:
                print(name, error)

for version in ["earliest", "latest"]:
    for order in [False, True]:
        if order and version == "earliest":
            continue
        with h5py.File(f"h5_{version}_{int(order)}.nc", "w", libver=version, track_order=order) as f:
            f.attrs["s"] = "text"
            f.attrs["fixed"] = np.bytes_("fixed")
            f.attrs["list"] = np.array([b"ab", b"c"])
            f.attrs["two"] = np.arange(4.0).reshape(2, 2)
            f["single"] = 5.0
            f.create_dataset("z", data=values((6, 5), "f4"), chunks=(6, 5))
            f.create_dataset("implicit", data=values((6, 5), "f4"), chunks=(2, 2), track_times=False)
            f.create_dataset("fixedarray", data=values((16, 10), "f4"), chunks=(3, 2), compression="gzip")
            f.create_dataset("extensible", data=values((24, 5), "f4"), chunks=(1, 5), maxshape=(None, 5), shuffle=True, compression="gzip")
            f.create_dataset("extensible2", data=values((24, 5), "i4"), chunks=(1, 2), maxshape=(None, 5))
            f.create_dataset("tree", data=values((11, 9), "f8"), chunks=(3, 4), maxshape=(None, None))
            f.create_dataset("tree2", data=values((11, 9), "f8"), chunks=(3, 4), maxshape=(None, None), compression="gzip", fletcher32=True)
            f.create_dataset("lzf", data=np.arange(600.0).reshape(20, 30) // 7, chunks=(5, 6), compression="lzf", shuffle=True)
            v = f.create_dataset("holes", shape=(11, 9), dtype="f8", chunks=(3, 4), fillvalue=-5)
            v[4:6, 3:8] = 1
            f.create_dataset("big", data=values(7, ">i4"))
            f.create_dataset("texts", data=np.array(["x", "yy", "zzz"], object), dtype=h5py.string_dtype())
            f.create_dataset("fixedtexts", data=np.array([b"x", b"yy", b"zzz"]))
            f.create_dataset("never", shape=(4, 4), dtype="i2", fillvalue=3)
            g = f.create_group("g", track_order=order)
            g["soft"] = h5py.SoftLink("/z")
            g["b"] = np.arange(3)
            g["a"] = np.arange(3.0)
            if version == "latest":
                s = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                s.set_layout(h5py.h5d.COMPACT)
                space = h5py.h5s.create_simple((4,))
                c = h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F64LE, space, s)
                c.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(4.0))

with h5py.File("user_block.nc", "w", userblock_size=512) as f:
    f["v"] = np.arange(10.0)
    f.create_dataset("c", data=np.arange(100.0), chunks=(9,), compression="gzip")

# What the files of HDF5's newest forms hold, for a test whose library cannot read them: FNV-1a of the
# values in the machine's order.
with open("values.txt", "w") as out:
    for name in ["h5_earliest_0.nc", "h5_latest_0.nc", "h5_latest_1.nc"]:
        with h5py.File(name) as f:
            for key in sorted(f):
                if isinstance(f[key], h5py.Dataset) and f[key].dtype.kind in "iuf":
                    sum = 0xCBF29CE484222325
                    for byte in np.asarray(f[key][()]).astype(f[key].dtype.newbyteorder("=")).tobytes():
                        sum = (sum ^ byte) * 0x100000001B3 % 2**64
                    out.write(f"{name} {key} {sum:016x}\n")
