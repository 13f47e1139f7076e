"""The grid, the formulas and the answer that the NetCDF jobs share, for the peers' Python."""

RADII = (3485.0, 6371.0)


def grid(case):
    """Latitudes, radii and longitudes."""
    import numpy as np

    return (
        np.linspace(-90, 90, case.nlat),
        np.linspace(*RADII, case.nr),
        np.linspace(0, 360, case.nlon),
    )


def legendre(degree, x):
    """The polynomials of degrees 2 and 3."""
    return (3 * x * x - 1) / 2 if degree == 2 else (5 * x * x * x - 3 * x) / 2


def spherical(case):
    """The components vlat(lat), vlon(lon), vrad(r)."""
    lat, r, lon = grid(case)
    return legendre(3, lat / 90), legendre(2, lon / 180 - 1), legendre(3, (r - 4928) / 1443)


def define(path, case, names, **options):
    """A new NetCDF file with the coordinates and these variables."""
    import netCDF4

    file = netCDF4.Dataset(path, "w")
    units = {"lat": "degrees_north", "r": "km", "lon": "degrees_east"}
    for name, values in zip(("lat", "r", "lon"), grid(case)):
        file.createDimension(name, len(values))
        coordinate = file.createVariable(name, "f8", (name,))
        coordinate.units = units[name]
        coordinate[:] = values
    for name in names:
        # As Tidemill writes: no fill value where none can be missing, no filling beforehand.
        variable = file.createVariable(name, "f8", ("lat", "r", "lon"), fill_value=False, **options)
        variable.units = "cm year-1"
    return file


def make(path, case, **options):
    """The file of spherical components, over all three dimensions."""
    import numpy as np

    vlat, vlon, vrad = spherical(case)
    with define(path, case, ("vlat", "vlon", "vrad"), **options) as file:
        shape = (case.nr, case.nlon)
        for i in range(case.nlat):
            file["vlat"][i] = np.full(shape, vlat[i])
            file["vlon"][i] = np.broadcast_to(vlon, shape)
            file["vrad"][i] = np.broadcast_to(vrad[:, None], shape)


def answer(path):
    """Sums of each component over slabs here and there, and of squares of all of them."""
    import netCDF4

    with netCDF4.Dataset(path) as file:
        count = len(file["lat"])
        slabs = sorted({0, count // 3, count // 2, 3 * count // 4, count - 1})
        told = {}
        for name in ("vx", "vy", "vz"):
            values = file[name]
            assert values.dimensions == ("lat", "r", "lon"), values.dimensions
            told[name] = float(sum((values[i].data ** 2).sum() * (k + 1) for k, i in enumerate(slabs)))
        return told


TOLERANCE = {"vx": 1e-12, "vy": 1e-12, "vz": 1e-12}
