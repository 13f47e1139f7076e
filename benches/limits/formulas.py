"""The time of a job in closed form: for each step the slowest of what it needs, and the walls.

A *wall* is a part of the time that more workers do not shorten. It stands where it costs as much as
all that they do shorten: half of the workers' time is lost there.
"""
from dataclasses import dataclass

from .steps import Alone, Barrier, Shuffle, Tiles, ToFirst


@dataclass(frozen=True)
class Part:
    """Something that a step needs: what it is, and for how long."""

    name: str
    seconds: float


def start(cluster, costs):
    """Processes find each other: each shakes hands with all others."""
    return Part("starting", costs["process"] + (cluster.hosts - 1) * costs["handshake"])


def parts(step, cluster, costs):
    """What happens at the same time in a step: the slowest is its time."""
    w = cluster.all
    away = 1 - 1 / cluster.hosts
    if isinstance(step, Tiles):
        one = step.work + costs["tile"]
        heard = step.count * costs["message"] if step.gathered else 0.0
        first = step.count * step.placing + heard
        busy = (step.count * one + w * heard + step.count * step.placing) / w
        # A worker waits for its file: nothing else is done in that time.
        wait = (step.read / cluster.link + step.write / cluster.link) * step.count / w
        # The last tiles do not end together, and were asked for from afar.
        tail = one + 2 * cluster.latency
        return [
            Part("computing", busy + wait + tail),
            Part("reading from the file system", step.count * step.read / cluster.read),
            Part("writing to the file system", step.count * step.write / cluster.write),
            Part(
                "a host's network",
                step.count * max(step.read, step.write + step.gathered) / cluster.hosts / cluster.link,
            ),
            Part("worker 0, which writes what all have made", first),
            Part("the network of the host of worker 0", step.count * step.gathered * away / cluster.link),
        ]
    if isinstance(step, ToFirst):
        told = w * step.bytes * away / cluster.link
        return [Part("worker 0, which merges a message of each worker", 2 * cluster.latency + w * (step.work + costs["message"]) + told)]
    if isinstance(step, Shuffle):
        sent = step.bytes(w)
        network = sent * cluster.workers * away / cluster.link
        work = sent * (step.sending * away + step.receiving) + w * costs["message"]
        return [Part("exchanging", work + network + cluster.latency)]
    if isinstance(step, Barrier):
        return [Part("waiting for all", 2 * cluster.latency + w * costs["message"])]
    if isinstance(step, Alone):
        return [
            Part("computing", step.work / w),
            Part("writing to the file system", step.write / cluster.write),
        ]
    raise TypeError(step)


def slowest(step, cluster, costs):
    return max(parts(step, cluster, costs), key=lambda part: part.seconds)


def seconds(job, cluster, costs):
    """The time of a whole job."""
    steps = sum(slowest(step, cluster, costs).seconds for step in job)
    return start(cluster, costs).seconds + steps


def efficiency(job, cluster, costs, alone):
    """What is left of the workers' time, from 0 to 1; `alone` is a cluster of one worker."""
    return seconds(job, alone, costs) / cluster.all / seconds(job, cluster, costs)


def wall(job, cluster_of, costs, most=1_000_000):
    """How many workers it takes until half of their time is lost, and in what most of it goes then."""
    alone = cluster_of(1)
    low, high = 1, most
    if efficiency(job, cluster_of(most), costs, alone) > 0.5:
        return None
    while high > low * 1.01 + 1:
        middle = int((low * high) ** 0.5) + 1
        if efficiency(job, cluster_of(middle), costs, alone) > 0.5:
            low = middle
        else:
            high = middle
    cluster = cluster_of(high)
    # What takes longer than the computing shared by all.
    lost = {}
    for part in [start(cluster, costs)] + [slowest(step, cluster, costs) for step in job]:
        if part.name != "computing":
            lost[part.name] = lost.get(part.name, 0.0) + part.seconds
    return high, max(lost, key=lost.get) if lost else "the last tiles"
