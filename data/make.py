"""Makes the inputs in this folder. See README.md for where they come from.

    apt-get download ferret-datasets && dpkg -x ferret-datasets_*.deb ferret
    python3 data/make.py ferret/usr/share/ferret-vis/data data
"""

import csv
import os
import sys
import zlib

import netCDF4
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

source, target = sys.argv[1:3]


def coads():
    """Sea surface temperature: 12 months, every second box in each direction, packed to int16."""
    inp = netCDF4.Dataset(f"{source}/coads_climatology.cdf")
    values = np.ma.masked_invalid(inp["SST"][:, ::2, ::2])
    out = netCDF4.Dataset(f"{target}/coads_sst.nc", "w")
    out.title = "COADS climatology: sea surface temperature, every second 2-degree box"
    out.source = "NOAA, Comprehensive Ocean-Atmosphere Data Set; cut from coads_climatology.cdf of Ferret"
    out.Conventions = "CF-1.11"
    coordinates = {
        "month": (np.arange(1, 13), {"units": "1", "long_name": "month of the year"}),
        "lat": (inp["COADSY"][::2], {"units": "degrees_north", "standard_name": "latitude", "axis": "Y"}),
        "lon": (inp["COADSX"][::2], {"units": "degrees_east", "standard_name": "longitude", "axis": "X"}),
    }
    for name, (points, attributes) in coordinates.items():
        out.createDimension(name, len(points))
        variable = out.createVariable(name, "f8", (name,))
        variable[:] = points
        variable.setncatts(attributes)
    variable = out.createVariable(
        "sst", "i2", ("month", "lat", "lon"), zlib=True, shuffle=True, chunksizes=(4, 45, 90), fill_value=-32768
    )
    variable.setncatts({"scale_factor": 0.01, "add_offset": 0.0})
    variable.setncatts({"units": "degC", "long_name": "sea surface temperature", "standard_name": "sea_surface_temperature"})
    variable[:] = np.ma.masked_array(values.filled(0), np.ma.getmaskarray(values))
    out.close()


def relief():
    """Relief of the Earth, every fourth point of the one-degree field."""
    inp = netCDF4.Dataset(f"{source}/etopo60.cdf")
    out = netCDF4.Dataset(f"{target}/relief.nc", "w")
    out.title = "Relief of the surface of the Earth, every fourth degree"
    out.source = "NOAA ETOPO5, cut from etopo60.cdf of Ferret"
    out.Conventions = "CF-1.11"
    for name, points, units, standard in [
        ("lat", inp["ETOPO60Y"][::4], "degrees_north", "latitude"),
        ("lon", inp["ETOPO60X"][::4], "degrees_east", "longitude"),
    ]:
        out.createDimension(name, len(points))
        variable = out.createVariable(name, "f8", (name,))
        variable[:] = points
        variable.setncatts({"units": units, "standard_name": standard})
    variable = out.createVariable("relief", "f4", ("lat", "lon"))
    variable[:] = inp["ROSE"][::4, ::4]
    variable.setncatts({"units": "m", "long_name": "height above mean sea level"})
    out.close()


def stations():
    """Made: hourly temperatures of five stations over two months, with gaps."""
    rng = np.random.default_rng(20240101)
    names = ["Bern", "Lagos", "Lima", "Oslo", "Perth"]
    hours = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[h]").astype("datetime64[us]")
    for part, month in enumerate([1, 2], start=1):
        chosen = hours[hours.astype("datetime64[M]").astype(int) % 12 + 1 == month]
        time = np.repeat(chosen, len(names))
        station = np.tile(names, len(chosen))
        t = np.round(np.tile([0.0, 27.0, 22.0, -4.0, 24.0], len(chosen)) + rng.normal(0, 3, len(time)), 1)
        table = pa.table(
            {
                "time": pa.array(time, pa.timestamp("us")),
                "station": pa.array(station),
                "t": pa.array(t, mask=rng.random(len(t)) < 0.02),
            }
        )
        pq.write_table(table, f"{target}/stations/part-{part:05}.parquet", row_group_size=1000)


def cities():
    """Made: a few cities, with a missing height."""
    rows = [("Bern", 46.95, 7.45, 540), ("Lagos", 6.45, 3.39, ""), ("Lima", -12.05, -77.04, 154), ("Oslo", 59.91, 10.75, 23)]
    with open(f"{target}/cities.csv", "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([("city", "lat", "lon", "height"), *rows])


def mantle():
    """Made: the spherical velocity of pipelines/mantle_netcdf.yaml on a small grid."""
    out = netCDF4.Dataset(f"{target}/mantle_small.nc", "w")
    out.title = "Mantle convection, spherical components of the velocity"
    out.Conventions = "CF-1.11"
    axes = {"lat": np.linspace(-90, 90, 19), "r": np.linspace(3485, 6371, 6), "lon": np.linspace(0, 360, 21)}
    units = {"lat": "degrees_north", "r": "km", "lon": "degrees_east"}
    for name, points in axes.items():
        out.createDimension(name, len(points))
        out.createVariable(name, "f8", (name,))[:] = points
        out[name].units = units[name]
    p2, p3 = (lambda x: (3 * x**2 - 1) / 2), (lambda x: (5 * x**3 - 3 * x) / 2)
    lat, r, lon = np.meshgrid(*axes.values(), indexing="ij")
    for name, values in {"vlat": p3(lat / 90), "vlon": p2(lon / 180 - 1), "vrad": p3((r - 4928) / 1443)}.items():
        variable = out.createVariable(name, "f8", ("lat", "r", "lon"))
        variable[:] = values
        variable.units = "cm year-1"
    out.close()


def scans():
    """Made: grey images of discs on a slope, of which the last one is cut off."""
    os.makedirs(f"{target}/scans", exist_ok=True)
    y, x = np.mgrid[0:120, 0:160]

    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    for i in range(1, 6):
        disc = (y - 60) ** 2 + (x - 30 * i) ** 2 < 400
        values = np.where(disc, 250 - 10 * i, 20 + y // 4 + x // (2 + i)).astype("u1")
        head = b"".join(n.to_bytes(4, "big") for n in (160, 120)) + bytes([8, 0, 0, 0, 0])
        rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in values), 9)
        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
        with open(f"{target}/scans/scan_{i}.png", "wb") as f:
            f.write(png if i < 5 else png[: len(png) // 2])


coads()
relief()
mantle()
stations()
cities()
scans()
