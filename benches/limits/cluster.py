"""Hosts, workers, network and file system."""
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cluster:
    """Hosts with as many workers each; all see one file system."""

    hosts: int
    # Of each host.
    workers: int
    # Seconds that a message needs from one host to another.
    latency: float
    # Bytes per second that a host can send, and as many that it can receive.
    link: float
    # Bytes per second that the file system gives to all hosts together.
    read: float
    write: float

    @property
    def all(self):
        return self.hosts * self.workers


# A cluster of today: 100 Gbit/s Ethernet of which TCP carries 80 %, a parallel file system of
# middling size.
ASSUMED = Cluster(hosts=50, workers=20, latency=30e-6, link=10e9, read=40e9, write=25e9)


def assumed(workers):
    """So many workers of the assumed cluster, on as few hosts as hold them."""
    hosts = -(-workers // ASSUMED.workers)
    return replace(ASSUMED, hosts=hosts, workers=-(-workers // hosts))


def here(hosts, workers, costs):
    """Processes on one machine: the link is the loopback, and files are in the page cache, where
    reading and writing is the workers' own work."""
    return Cluster(hosts, workers, costs["barrier"] / 2, costs["loopback"], 1e15, 1e15)
