//! A folder to run the binary in.
use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_tidemill");

/// The slow series, small.
pub const SERIES: &str = r#"title: Slow series
params: { n: 1000, digits: "9" }
steps:
  - range: { k: 1..=n }
  - filter: not has_digits(k, digits)
  - map: { term: 1 / k }
  - reduce: { total: sum(term), terms: count() }
tests:
  - with: { n: 1000 }
    expect: { terms: 729 }
"#;

/// Works for hours, and has an output all the while.
pub const ENDLESS: &str = "title: Endless
steps:
  - range: { k: 1..=1e13 }
  - filter: sin(k) > 2
  - write: out.parquet
";

/// A folder with pipelines, which goes with this value.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// With `p.yaml` of this text.
    pub fn new(pipeline: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("p.yaml"), pipeline).unwrap();
        Bench { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The binary with these arguments, in this folder.
    pub fn tidemill(&self, arguments: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.path()).args(arguments.split_whitespace());
        command.timeout(Duration::from_secs(60));
        command
    }

    /// Standard output, standard error and exit code of a run.
    pub fn run(&self, arguments: &str) -> (String, String, i32) {
        let output = self.tidemill(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code().unwrap_or(-1))
    }

    /// A run that must end well: its results and what it says.
    pub fn good(&self, arguments: &str) -> (String, String) {
        let (out, err, code) = self.run(arguments);
        assert_eq!(code, 0, "{arguments}: {err}");
        (out, err)
    }

    /// The names in the folder beside the pipeline.
    pub fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).unwrap();
        let names = entries.map(|e| PathBuf::from(e.unwrap().file_name()));
        names.filter(|n| n != Path::new("p.yaml")).collect()
    }
}

/// Numbers that differ from run to run; the seed is told when a test fails.
pub struct Random {
    pub seed: u64,
    state: u64,
}

impl Random {
    pub fn new() -> Random {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = now.as_nanos() as u64;
        Random { seed, state: seed }
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ x >> 31) % end.max(1) as u64) as usize
    }
}
