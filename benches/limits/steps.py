"""What a job is made of, as far as time is concerned. Seconds and bytes; `w` is the number of workers."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Tiles:
    """Tiles that any worker takes: read, computed, written."""

    count: int
    # A worker's time for one, reading and writing in the page cache included.
    work: float
    # Bytes of one that come from and go to the file system.
    read: float = 0.0
    write: float = 0.0
    # Bytes of one that worker 0 gets, and its time for them.
    gathered: float = 0.0
    placing: float = 0.0

    def several(self, n):
        """The same with so many tiles as one."""
        rest = (self.work, self.read, self.write, self.gathered, self.placing)
        return Tiles(self.count // n, *(n * each for each in rest))


@dataclass(frozen=True)
class ToFirst:
    """Each worker sends one message to worker 0."""

    bytes: float
    # Worker 0's time for one.
    work: float


@dataclass(frozen=True)
class Shuffle:
    """Each worker sends every other its share."""

    # Bytes that one worker sends in all, a function of the number of workers.
    bytes: object
    # A worker's time for a byte that it sends, and that it gets.
    sending: float
    receiving: float


@dataclass(frozen=True)
class Barrier:
    """All workers learn that all have come so far."""


@dataclass(frozen=True)
class Alone:
    """What each worker does with what it has; the total is divided by their number."""

    work: float
    write: float = 0.0
