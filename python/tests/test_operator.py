"""Tests of `tidemill.operator`: programs made of functions, in processes of their own.

python3 -m unittest discover -s python/tests
"""

import io
import pathlib
import subprocess
import sys
import unittest

import pyarrow as pa

MODULE = pathlib.Path(__file__).resolve().parent.parent

SCRIPT = """
import sys
sys.path.insert(0, {module!r})
from tidemill import operator
{body}
operator.run(f)
"""


def talk(body, batches):
    """What a program answers, its exit code, and what it wrote to standard error."""
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    script = SCRIPT.format(module=str(MODULE), body=body)
    done = subprocess.run([sys.executable, "-c", script], input=stream.getvalue(), capture_output=True, timeout=120)
    answers = list(pa.ipc.open_stream(done.stdout)) if done.returncode == 0 else []
    return answers, done.returncode, done.stderr.decode()


def rows(*values):
    return pa.record_batch({"x": pa.array(values, pa.float64())})


class Programs(unittest.TestCase):
    def answers(self, body, *batches):
        answers, code, errors = talk(body, batches)
        self.assertEqual(code, 0, errors)
        return [batch.to_pydict() for batch in answers]

    def test_each_batch_has_one_answer_in_order(self):
        got = self.answers("def f(batch): return {'y': batch['x'].to_numpy() * 2}", rows(1, 2), rows(), rows(3))
        self.assertEqual(got, [{"y": [2.0, 4.0]}, {"y": []}, {"y": [6.0]}])

    def test_rows_may_grow_and_shrink(self):
        body = "import pyarrow as pa\ndef f(batch): return pa.Table.from_batches([batch.slice(1), batch])"
        self.assertEqual(self.answers(body, rows(1, 2), rows(3)), [{"x": [2.0, 1.0, 2.0]}, {"x": [3.0]}])

    def test_a_table_without_rows_is_an_answer(self):
        body = "import pyarrow as pa\ndef f(batch): return pa.Table.from_batches([batch]).slice(0, 0)"
        self.assertEqual(self.answers(body, rows(1)), [{"x": []}])

    def test_later_answers_are_cast_to_the_first(self):
        body = "def f(batch): return {'y': [0.5] if len(batch) == 1 else [1, 2]}"
        self.assertEqual(self.answers(body, rows(1), rows(1, 2)), [{"y": [0.5]}, {"y": [1.0, 2.0]}])

    def test_printing_does_not_disturb(self):
        answers, code, errors = talk("def f(batch):\n  print('hello')\n  return batch", [rows(1)])
        self.assertEqual((code, len(answers), errors), (0, 1, "hello\n"))

    def test_an_exception_ends_it_with_its_traceback(self):
        _, code, errors = talk("def f(batch): raise ValueError('no such value')", [rows(1)])
        self.assertEqual(code, 1)
        self.assertIn("Traceback", errors)
        self.assertIn("ValueError: no such value", errors)

    def test_what_is_no_batch_is_refused(self):
        _, code, errors = talk("def f(batch): return 7", [rows(1)])
        self.assertEqual(code, 1)
        self.assertIn("the function returned int", errors)

    def test_other_columns_are_refused(self):
        _, code, errors = talk("def f(batch): return {str(len(batch)): [1]}", [rows(1), rows(1, 2)])
        self.assertEqual(code, 1)
        self.assertIn("those of the first batch were ['1']", errors)

    def test_data_frames_are_answers(self):
        try:
            import pandas  # noqa: F401
        except ImportError:
            self.skipTest("pandas is not here")
        body = "def f(batch):\n  d = batch.to_pandas()\n  return d[d.x > 1]"
        self.assertEqual(self.answers(body, rows(1, 2)), [{"x": [2.0]}])

    def test_polars_frames_are_answers(self):
        try:
            import polars  # noqa: F401
        except ImportError:
            self.skipTest("polars is not here")
        body = "import polars as pl\ndef f(batch): return pl.from_arrow(batch).filter(pl.col('x') > 1)"
        self.assertEqual(self.answers(body, rows(1, 2)), [{"x": [2.0]}])


if __name__ == "__main__":
    unittest.main()
