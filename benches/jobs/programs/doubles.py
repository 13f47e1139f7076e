"""The program of `operator.yaml`: a column of doubles goes in, another comes out."""
from tidemill import operator


def doubled(batch):
    return {"y": batch["x"].to_numpy() * 2 + 1}


operator.run(doubled)
