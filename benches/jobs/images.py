"""Images: a part of each, its negative written, its extremes; one of them is cut off."""
import os

from harness.job import Case, Job, sets

job = Job(
    title="Images: crop, negative, extremes",
    story="Grey PNG files of 2000 × 2000 pixels, as Pillow writes them. Of each, 1000 × 1500 pixels are turned "
    "into their negative, written as PNG, and summed up. One file is cut off in its first rows: its row keeps "
    "the error. The peer is a pool of processes, one a core, with the error kept likewise.",
    cases=[Case("100 images", {"images": 100})],
    tolerance={name: 0 for name in ("images", "failed", "least", "most", "all")},
    runs=3,
    disk="memory",
    room=0.5,
    memory=True,
)


@job.data
def data(case):
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(1)
    y, x = np.mgrid[0:2000, 0:2000] / 2000
    for i in range(case.images):
        smooth = 128 + 90 * np.sin(3 * x + i) * np.cos(5 * y - i)
        image = Image.fromarray((smooth + random.integers(-6, 7, y.shape)).astype("u1"))
        image.save(f"{case.data}/scan_{i:03}.png")
    with open(f"{case.data}/scan_{case.images // 2:03}.png", "r+b") as file:
        file.truncate(5000)


@job.tidemill("Tidemill")
def tidemill(case):
    return ["benches/jobs/images.yaml", *sets(scans=case.data)]


def one(name):
    """The least, the most and the sum of a part's negative, or the error."""
    import numpy as np
    from PIL import Image

    data, scratch, file = name
    try:
        with Image.open(f"{data}/{file}") as image:
            part = 255 - np.asarray(image.crop((0, 0, 1500, 1000)))
        Image.fromarray(part).save(f"{scratch}/{file}")
        return int(part.min()), int(part.max()), int(part.sum(dtype="i8"))
    except OSError as error:
        return str(error)


@job.peer("Pillow + NumPy, a pool of processes", needs=["pillow", "numpy"])
def pillow(case):
    from multiprocessing import Pool

    names = [(case.data, case.scratch, file) for file in sorted(os.listdir(case.data))]
    with Pool(int(os.environ["BENCH_THREADS"])) as pool:
        pool.map(len, ["warm"] * 8)
        yield
        told = pool.map(one, names)
        good = [one for one in told if isinstance(one, tuple)]
        least, most, total = zip(*good)
        yield {"images": len(good), "failed": len(told) - len(good), "least": min(least), "most": max(most), "all": sum(total)}
