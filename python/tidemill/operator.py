"""A function of a batch as an operator of a Tidemill pipeline.

    from tidemill import operator

    def anomaly(batch):
        x = batch["x"].to_numpy()
        return {"k": batch["k"], "z": (x - 3.0) / 0.5}

    operator.run(anomaly)

The step `- stream: [python3, anomaly.py]` then passes its batches through it. The function is given
a `pyarrow.RecordBatch` and returns one, a `pyarrow.Table`, a pandas or Polars data frame, or a
mapping of names to arrays: of as many rows as it likes, always of the same columns. What is printed
goes to standard error; an exception ends the program, and the run is told of it with its traceback.
"""

import os

import pyarrow as pa

__all__ = ["run"]


def run(function):
    """Answers each batch of standard input with `function(batch)`, until there are no more."""
    source, sink = _streams()
    try:
        _answer(function, source, sink)
    except BrokenPipeError:
        # The run has ended: there is nobody to tell.
        os._exit(1)


def _answer(function, source, sink):
    writer = schema = None
    with pa.ipc.open_stream(source) as batches:
        for batch in batches:
            answer = to_batch(function(batch))
            if writer is None:
                schema = answer.schema
                writer = pa.ipc.new_stream(sink, schema)
            writer.write_batch(_like(answer, schema))
            sink.flush()
        if writer is not None:
            writer.close()
    sink.close()


def _streams():
    """Standard input and output, for batches alone: whoever else reads finds nothing, and what is
    printed goes to standard error."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def to_batch(answer):
    """What a function has returned as one record batch."""
    if isinstance(answer, pa.RecordBatch):
        return answer
    if isinstance(answer, dict):
        return pa.RecordBatch.from_pydict(answer)
    if type(answer).__module__.split(".")[0] == "pandas" and hasattr(answer, "columns"):
        return pa.RecordBatch.from_pandas(answer, preserve_index=False)
    if hasattr(answer, "to_arrow"):
        answer = answer.to_arrow()
    if not isinstance(answer, pa.Table):
        kind = type(answer).__name__
        raise TypeError(f"the function returned {kind}, not a batch, a table, a data frame or a dict of arrays")
    batches = answer.combine_chunks().to_batches()
    if len(batches) > 1:
        raise ValueError("the table is too large for one batch: use smaller batches, `batch_rows:`")
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=answer.schema)


def _like(answer, schema):
    """The answer with the columns of the first one; whole numbers may stand for others."""
    if answer.schema.equals(schema):
        return answer
    if sorted(answer.schema.names) != sorted(schema.names):
        raise ValueError(f"the columns are {answer.schema.names}, those of the first batch were {schema.names}")
    columns = [answer.column(field.name).cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
