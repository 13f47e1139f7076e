"""Tidemill's kernels by themselves: what `cargo bench` prints."""
from harness.job import TOP, Case, Job

job = Job(
    title="Kernels",
    story="Time per value of Tidemill's own kernels, in cache, on one thread.",
    cases=[Case()],
    runs=1,
    shows="kernels",
)

for file in sorted((TOP / "crates/expr/benches").glob("*.rs")):
    job.text(file.stem)(lambda case, name=file.stem: ["cargo", "bench", "-q", "--bench", name])
