"""Tables of random rows, as the jobs about tables take them, for the peers' Python."""


def make(path, case):
    """Rows of two keys and two values, as pyarrow writes them by default."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(1)
    table = pa.table({
        "k": random.integers(0, getattr(case, "keys", 1000), case.rows),
        "id": np.arange(case.rows),
        "v": random.standard_normal(case.rows),
    })
    if path.endswith(".arrow"):
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=1 << 20)
    else:
        pq.write_table(table, path)


def read(path):
    """The columns of what was written, a file or a folder of parts."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def answer(path):
    """The number of rows, and sums that know in which order they are."""
    import numpy as np

    columns = read(path)
    rows = len(columns["v"])
    place = np.arange(rows) / rows
    return {"rows": rows, "ids": int(columns["id"].sum()), "order": float((place * columns["id"]).sum()),
            "values": float((place * columns["v"]).sum())}


TOLERANCE = {"rows": 0, "ids": 0, "order": 1e-12, "values": 1e-12}
