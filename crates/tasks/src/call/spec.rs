//! What is to be run for each row, as the plan says it.
use crate::Template;
use crate::waits::Waits;
use base::DType;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What is to be run for each row. No shell ever reads any of it.
///
/// Names of files that are not absolute are those that the program would find in its folder.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The program, and its arguments. In a batch an argument that has values of the row in it stands
    /// there once for each row.
    pub command: Vec<Template>,
    /// What the program reads. In a batch that of each row, as lines. `None`: nothing.
    pub stdin: Option<Template>,
    /// Variables of the environment beside those of this process.
    pub env: Vec<(String, Template)>,
    /// The folder it runs in. `None`: that of this process.
    pub folder: Option<Template>,
    /// What it writes.
    pub stdout: Stdout,
    /// The longest it may take, each time. `None`: as long as it wants.
    pub timeout: Option<Duration>,
    /// How often it is started again if it fails.
    pub retries: u32,
    /// How long to wait before that.
    pub waits: Waits,
    /// Exit codes that are no failure.
    pub ok: Vec<i32>,
    /// Files or folders that it makes. Each must stand in its command, variables or input: there it
    /// gets another name, in the same folder, until the program has ended well.
    pub outputs: Vec<Template>,
    /// Files that it reads beside those that stand in its arguments: a change does the row again.
    pub inputs: Vec<Template>,
    /// Rows of one start.
    pub batch: usize,
    /// In which folder these are meant.
    pub place: Place,
    /// Whether they may replace any file.
    pub replace: bool,
    /// What made files are marked with, where the file system can. A file with this mark that is as it
    /// was made may be replaced.
    pub maker: Option<String>,
    /// The largest standard output in bytes.
    pub most_stdout: usize,
    /// So many bytes of the end of standard error are kept.
    pub most_stderr: usize,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
}

impl Spec {
    /// A call of a program with arguments, and nothing else asked for.
    pub fn new(command: Vec<Template>) -> Spec {
        Spec {
            command,
            stdin: None,
            env: Vec::new(),
            folder: None,
            stdout: Stdout::Text,
            timeout: None,
            retries: 0,
            waits: Waits::default(),
            ok: vec![0],
            outputs: Vec::new(),
            inputs: Vec::new(),
            batch: 1,
            place: Place::Here,
            replace: false,
            maker: None,
            most_stdout: 64 << 20,
            most_stderr: 64 << 10,
            grace: Duration::from_secs(2),
        }
    }
}

/// What a program writes to its standard output.
#[derive(Clone, Debug, PartialEq)]
pub enum Stdout {
    /// Text: a column `stdout`, without the line ends at its end. In a batch a line for each row.
    Text,
    /// Lines: a column `line`, with a row for each. In a batch a line for each row.
    Lines,
    /// A number: a column `stdout`. In a batch a line with a number for each row.
    Float64,
    /// An object with these columns. In a batch one for each row, in a list or one after the other.
    Json(Vec<(Arc<str>, DType)>),
    /// Comma-separated values with names in the first line: a row for each further line, with these
    /// columns. In a batch one for each row.
    Csv(Vec<(Arc<str>, DType)>),
}

/// In which folder the names of outputs are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// That in which the program runs.
    #[default]
    Here,
    /// This one, for names that do not begin at the root.
    Of(PathBuf),
    /// This one, for all names, whatever they say: nothing is made elsewhere.
    Within(PathBuf),
}
