"""A file of Cartesian components, as the jobs about compression take it."""
from . import mantle


def slabs(case):
    """vx, vy and vz of each latitude."""
    import numpy as np

    lat, _, lon = map(np.radians, mantle.grid(case))
    vlat, vlon, vrad = mantle.spherical(case)
    for i in range(case.nlat):
        across = (np.cos(lat[i]) * vrad - np.sin(lat[i]) * vlat[i])[:, None]
        yield (
            np.cos(lon) * across - np.sin(lon) * vlon,
            np.sin(lon) * across + np.cos(lon) * vlon,
            np.broadcast_to((np.cos(lat[i]) * vlat[i] + np.sin(lat[i]) * vrad)[:, None], across.shape[:1] + lon.shape),
        )


def make(path, case, **options):
    """Writes it."""
    names = ("vx", "vy", "vz")
    with mantle.define(path, case, names, **options) as file:
        for i, slab in enumerate(slabs(case)):
            for name, values in zip(names, slab):
                file[name][i] = values
