"""Months that differ from the mean of their year by so many standard deviations, or more."""
import sys

import numpy as np
from tidemill import operator

LEAST = float(sys.argv[1])


def unusual(batch):
    sst, mean, spread = (batch[name].to_numpy(zero_copy_only=False) for name in ("sst", "mean", "spread"))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (sst - mean) / spread
    keep = np.abs(z) >= LEAST
    return {name: batch[name].filter(keep) for name in ("month", "lat", "lon")} | {"z": z[keep]}


operator.run(unusual)
