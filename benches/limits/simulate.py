"""A job event by event: tiles of unequal cost, leases, credits, queues for network and file system.

It knows the same costs as the formulas and none of their shortcuts: nothing overlaps but what can,
and whoever comes late to a queue waits.
"""
import heapq
import random

from .steps import Alone, Barrier, Shuffle, Tiles, ToFirst

# Tiles differ in cost by so much (the standard deviation, relatively).
SPREAD = 0.15
# Tiles that a worker may have in flight.
CREDITS = 4
# More tiles than this are taken several at a time, so that a simulation ends.
MOST = 200_000


class Queue:
    """Serves one after the other, at so many units per second."""

    def __init__(self, rate):
        self.rate, self.free = rate, 0.0

    def serve(self, at, amount):
        """When something that comes at this time is done."""
        if amount == 0:
            return at
        self.free = max(self.free, at) + amount / self.rate
        return self.free


class Run:
    """A job on a cluster; time begins when the launcher is called."""

    def __init__(self, cluster, costs, seed=1):
        self.cluster, self.costs, self.random = cluster, costs, random.Random(seed)
        self.read, self.write = Queue(cluster.read), Queue(cluster.write)
        self.sends = [Queue(cluster.link) for _ in range(cluster.hosts)]
        self.receives = [Queue(cluster.link) for _ in range(cluster.hosts)]
        # When each worker is free; those of a host lie together.
        self.free = self.start()

    def host(self, worker):
        return worker // self.cluster.workers

    def start(self):
        """Each process shakes hands with those before it, one after the other."""
        hosts, free = self.cluster.hosts, []
        for host in range(hosts):
            ready = self.costs["process"] * (1 + 0.1 * self.random.random())
            ready += (hosts - 1) * self.costs["handshake"]
            free += [ready] * self.cluster.workers
        # Nobody begins before all have come.
        return [max(free)] * len(free)

    def cross(self, at, source, target, bytes):
        """When bytes that leave a host at this time have come to another."""
        if source == target:
            return at
        left = self.sends[source].serve(at, bytes)
        return max(self.receives[target].serve(at, bytes), left) + self.cluster.latency

    def job(self, steps):
        """Seconds of a whole job."""
        for step in steps:
            STEPS[type(step)](self, step)
        return max(self.free)

    def tiles(self, step):
        cluster, costs = self.cluster, self.costs
        several = max(1, step.count // MOST)
        if several > 1:
            step = step.several(several)
            costs = {**costs, "tile": costs["tile"] * several, "message": costs["message"] * several}
        shares = [len(range(host, step.count, cluster.hosts)) for host in range(cluster.hosts)]
        left = sum(shares)
        placed = Queue(1.0)
        placed.free = self.free[0]
        flying = [[] for _ in self.free]
        turns = [(free, worker) for worker, free in enumerate(self.free)]
        heapq.heapify(turns)
        while turns:
            at, worker = heapq.heappop(turns)
            if worker == 0 and placed.free > at:
                # What has come to be placed comes first.
                heapq.heappush(turns, (placed.free, worker))
                self.free[worker] = placed.free
                continue
            if left == 0:
                self.free[worker] = max(self.free[worker], at)
                continue
            host = self.host(worker)
            if shares[host] == 0:
                # From the host that has most left, by asking the first one.
                host_of = max(range(cluster.hosts), key=shares.__getitem__)
                shares[host_of] -= 1
                at += 2 * cluster.latency
            else:
                shares[host] -= 1
            left -= 1
            at += costs["tile"]
            if step.read:
                at = max(self.read.serve(at, step.read), self.receives[host].serve(at, step.read))
            at += step.work * max(0.2, self.random.gauss(1.0, SPREAD))
            if step.write:
                at = max(self.write.serve(at, step.write), self.sends[host].serve(at, step.write))
            if step.gathered:
                came = self.cross(at, host, 0, step.gathered)
                done = placed.serve(came, step.placing + costs["message"])
                # All hear that a message was sent and taken.
                at += costs["message"]
                queue = flying[worker]
                heapq.heappush(queue, done)
                if len(queue) >= CREDITS:
                    at = max(at, heapq.heappop(queue))
            self.free[worker] = at
            heapq.heappush(turns, (at, worker))
        self.free[0] = max(self.free[0], placed.free if step.gathered else 0.0)

    def to_first(self, step):
        first = Queue(1.0)
        first.free = self.free[0]
        coming = sorted((free, worker) for worker, free in enumerate(self.free))
        for at, worker in coming:
            came = self.cross(at, self.host(worker), 0, step.bytes)
            first.serve(came, step.work + self.costs["message"])
        self.free[0] = first.free + self.cluster.latency

    def shuffle(self, step):
        cluster, w = self.cluster, self.cluster.all
        share = step.bytes(w) / w
        came = [[0.0] * cluster.hosts for _ in range(cluster.hosts)]
        for host in range(cluster.hosts):
            mine = range(host * cluster.workers, (host + 1) * cluster.workers)
            # Encoding what leaves the process, worker by worker; the host's link takes it in turn.
            away = share * (w - cluster.workers)
            ends = [self.free[worker] + away * step.sending for worker in mine]
            for worker, end in zip(mine, ends):
                self.free[worker] = end
            for other in range(cluster.hosts):
                target = (host + 1 + other) % cluster.hosts
                bytes = share * cluster.workers * cluster.workers
                came[target][host] = self.cross(max(ends), host, target, bytes)
        for host in range(cluster.hosts):
            last = max(came[host])
            for worker in range(host * cluster.workers, (host + 1) * cluster.workers):
                # Merging goes on while the rest comes.
                work = step.bytes(w) * step.receiving + w * self.costs["message"]
                first = min(came[host])
                self.free[worker] = max(max(self.free[worker], first) + work, last + work / w)

    def barrier(self, _step):
        all_there = max(self.free) + 2 * self.cluster.latency
        self.free = [all_there + self.cluster.all * self.costs["message"]] * len(self.free)

    def alone(self, step):
        w = self.cluster.all
        for worker in sorted(range(w), key=self.free.__getitem__):
            work = step.work / w * max(0.2, self.random.gauss(1.0, SPREAD / 4))
            self.free[worker] = self.write.serve(self.free[worker] + work, step.write / w)


STEPS = {
    Tiles: Run.tiles,
    ToFirst: Run.to_first,
    Shuffle: Run.shuffle,
    Barrier: Run.barrier,
    Alone: Run.alone,
}


def seconds(job, cluster, costs):
    """The time of a whole job, simulated."""
    return Run(cluster, costs).job(job)
