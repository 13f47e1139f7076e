//! What may stand beside `call`.
use crate::operator::{Key, Shape};
use crate::task;

/// Its own keys, then those of all steps that do something for each row.
pub(super) const KEYS: [Key; OWN.len() + task::KEYS.len()] = {
    const NONE: Key = Key { name: "", doc: "", shape: Shape::Text };
    let mut keys = [NONE; OWN.len() + task::KEYS.len()];
    let mut i = 0;
    while i < keys.len() {
        let key = if i < OWN.len() { &OWN[i] } else { &task::KEYS[i - OWN.len()] };
        keys[i] = Key { name: key.name, doc: key.doc, shape: key.shape };
        i += 1;
    }
    keys
};

// Texts in which values of rows stand are `Texts`: `Text` is one that is known before the run.
const OWN: [Key; 12] = [
    Key {
        name: "stdout",
        doc: "What the program writes: `text` (this holds if nothing is said) and `float64` make a \
              column `stdout`, `json` (an object) the columns of `columns`; `lines` makes a row for \
              each line, in a column `line`, and `csv` (names in the first line) one for each further \
              line, with the columns of `columns`.",
        shape: Shape::Text,
    },
    Key {
        name: "columns",
        doc: "The columns of `json` and `csv` and their types: `{ t: float64, name: string }`.",
        shape: Shape::Renames,
    },
    Key {
        name: "outputs",
        doc: "Files or folders that the program makes, `out/${stem}.tif`, as they stand in its \
              arguments, variables or input. The program gets another name in the same folder in \
              their place; they have theirs when it has ended well. One that exists already is \
              replaced if this pipeline has made it and nobody has written to it since, or with \
              `--overwrite`.",
        shape: Shape::Texts,
    },
    Key {
        name: "inputs",
        doc: "Files that the program reads beside those that are arguments: if one changes, later \
              runs do the row again.",
        shape: Shape::Texts,
    },
    Key {
        name: "stdin",
        doc: "What the program reads. In a batch that of each row, as lines.",
        shape: Shape::Texts,
    },
    Key {
        name: "env",
        doc: "Variables of the environment beside those that there are: `{ OMP_NUM_THREADS: 1 }`.",
        shape: Shape::Renames,
    },
    Key {
        name: "folder",
        doc: "The folder that it runs in. All names of files are then those that it finds there.",
        shape: Shape::Texts,
    },
    Key {
        name: "timeout",
        doc: "The most seconds for each attempt; no bound if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "retries",
        doc: "How often a program that fails is started again; 0 if it is not said.",
        shape: Shape::Constant,
    },
    Key {
        name: "wait",
        doc: "The most seconds before the first retry; 1 if it is not said. The bound doubles with \
              each one, up to 60, and the wait is anything up to it.",
        shape: Shape::Constant,
    },
    Key {
        name: "ok",
        doc: "The exit codes that are no failure, such as `[0, 2]`; 0 if it is not said.",
        shape: Shape::Any,
    },
    Key {
        name: "batch",
        doc: "So many rows a start, as `xargs` does: arguments with values of the row stand there \
              once for each. Its rows share `exit`, `seconds`, `stderr` and failures; what `stdout` \
              says has a line or an object for each row, `text` is that of all.",
        shape: Shape::Constant,
    },
];
