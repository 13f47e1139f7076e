"""What a job file says: its cases, who takes part, and when answers agree.

A job file makes one `Job` named `job`. Its functions are contestants; each gets a `Case`:

* `@job.tidemill(label)` returns the arguments of `tidemill run`, or None to leave a case out.
* `@job.peer(label, needs=...)` is a generator that runs in a fresh process of the peers' Python:
  imports, compilation and warm-up come before its first `yield`, and are not counted; it works, and
  yields the answer, a dictionary of numbers (or None if the answer is a file).
* `@job.c(label, source)` returns the arguments of a C program, which prints seconds and answer.
* `@job.command(label)` returns the words of a command, whose whole time counts.
* `@job.text(label)` returns the words of a command, whose output is shown.

`@job.data` makes the input of a case, once; `@job.check` reads an answer from a file that was
written; both run in the peers' Python.
"""
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


class Case:
    """One table of a job: its sizes and parameters are attributes."""

    def __init__(self, title="", sizes=None, **parameters):
        self.title, self.sizes, self.parameters = title, sizes or {}, parameters
        self.__dict__.update(self.sizes)
        self.__dict__.update(parameters)
        # Set by the runner: where inputs lie, where outputs may be put, the peers' Python.
        self.data = self.scratch = self.python = None

    def smaller(self, factor):
        """The same with all sizes divided, rounded up."""
        sizes = {name: max(2, -(-size // factor)) for name, size in self.sizes.items()}
        return Case(self.title, sizes, **self.parameters)

    @property
    def key(self):
        """A name for files that depend on nothing but the sizes and parameters."""
        values = {**self.sizes, **self.parameters}
        return "-".join(f"{name}_{value}" for name, value in sorted(values.items()))


@dataclass
class Contestant:
    """One column of bars: a name, and a function of the case."""

    label: str
    kind: str
    function: object
    needs: tuple = ()
    # A C file beside the job.
    source: str = ""
    # More options of the C compiler.
    flags: tuple = ()
    # Runs a case this much smaller, and multiplies its time: for what would take minutes.
    scaled: int = 1
    # At most so many runs, for what is slow.
    most_runs: int = 99
    # An option without which this makes no sense: skipped where `tidemill run` does not know it.
    option: str = ""
    # Shown beside the others, but not what they are compared with: another form of Tidemill's own job,
    # or something that does not do the work.
    variant: bool = False

    @property
    def name(self):
        return self.function.__name__


@dataclass
class Job:
    """A job: the same work for all who take part."""

    title: str
    # Said under the title.
    story: str
    cases: list
    # How far each value of the answer may be from Tidemill's, relatively; 0: not at all.
    tolerance: dict = field(default_factory=dict)
    runs: int = 5
    # "time": the work's own time. "wall": from exec to exit, of all.
    counts: str = "time"
    # "memory": data and outputs lie on a memory file system, and go after the job.
    disk: str = "disk"
    # Gigabytes of data and outputs, at full size.
    room: float = 0.0
    # How the page shows it: "compare", "workers", "sizes", "kernels".
    shows: str = "compare"
    # Shows the peaks of memory too.
    memory: bool = False
    contestants: list = field(default_factory=list)
    makes: object = None
    checks: object = None

    def _add(self, label, kind, **options):
        def add(function):
            self.contestants.append(Contestant(label, kind, function, **options))
            return function

        return add

    def tidemill(self, label="Tidemill", **options):
        return self._add(label, "tidemill", **options)

    def peer(self, label, needs=(), **options):
        return self._add(label, "peer", needs=tuple(needs), **options)

    def c(self, label, source, **options):
        return self._add(label, "c", source=source, **options)

    def command(self, label, **options):
        return self._add(label, "command", **options)

    def text(self, label, **options):
        return self._add(label, "text", **options)

    def data(self, function):
        self.makes = function
        return function

    def check(self, function):
        self.checks = function
        return function


def sets(**parameters):
    """`--set` for each parameter."""
    return [word for name, value in parameters.items() for word in ("--set", f"{name}={value}")]
