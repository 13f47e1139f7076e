//! `--memory` and `--spill`: what a process may take, and where the state goes that does not fit.
use crate::machine::{self, MemoryLimit, address_space};
use crate::memory::keep_less;
use base::Failure;
use clap::Args;
use engine::Options;
use engine::spill::{Choice, choose};
use plan::physical::Physical;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How much memory, and what if it is not enough.
#[derive(Args, Clone, Debug)]
pub struct MemoryArgs {
    /// Memory of each process: 2GiB, 500MB, 25% [default: what the job may use, shared by its
    /// processes here]
    #[arg(long, value_name = "SIZE", value_parser = Size::parse)]
    memory: Option<Size>,
    /// Folder for rows and groups that do not fit into it [default: $TIDEMILL_SPILL, or that of
    /// temporary files]
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
}

/// A size as the user gives it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Size {
    /// In bytes.
    Bytes(u64),
    /// A share of what the job may use.
    Share(f64),
}

/// What a share of a limit that is not exact is good for: the allocator, the C libraries.
const HEADROOM: u64 = 10;

/// Of what is left beside tiles so much is for state; the rest for what is copied of it while it
/// is sorted, written and read.
const STATE: (u64, u64) = (2, 3);

impl Size {
    fn parse(text: &str) -> Result<Size, String> {
        let wrong = || "expected a size such as 2GiB, 500MB or 25%".to_owned();
        let text = text.trim();
        let Some(number) = text.strip_suffix('%') else {
            return base::bytes_of(text).map(Size::Bytes).ok_or_else(wrong);
        };
        let percent: f64 = number.trim().parse().map_err(|_| wrong())?;
        let fits = percent > 0.0 && percent <= 100.0;
        fits.then_some(Size::Share(percent / 100.0)).ok_or_else(wrong)
    }
}

/// The memory of each process of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Budget {
    size: Option<Size>,
    spill: Option<PathBuf>,
    /// How many processes share this host.
    pub here: usize,
}

impl MemoryArgs {
    /// For so many processes on this host.
    pub fn budget(&self, here: usize) -> Budget {
        Budget { size: self.memory, spill: self.spill.clone(), here }
    }
}

impl Budget {
    /// What the machine gives, shared by so many processes on this host.
    pub fn shared(here: usize) -> Budget {
        Budget { here, ..Budget::default() }
    }

    /// What all processes on this host may take; `None` if nothing says anything.
    pub fn limit(&self) -> Option<MemoryLimit> {
        let machine = machine::memory(machine::cores().count, self.here);
        let here = self.here.max(1) as u64;
        let asked = |bytes: u64| MemoryLimit { bytes: bytes.saturating_mul(here), by: "--memory" };
        match self.size {
            Some(Size::Bytes(bytes)) => {
                let limits = [Some(asked(bytes)), address_space(self.here)].into_iter().flatten();
                limits.min_by_key(|limit| limit.bytes)
            }
            Some(Size::Share(share)) => machine.map(|m| asked((m.bytes as f64 * share) as u64)),
            None => machine,
        }
    }

    /// What each process may take.
    fn process(&self) -> Option<u64> {
        let bytes = self.limit()?.bytes / self.here.max(1) as u64;
        Some(if self.size.is_none() { bytes - bytes / HEADROOM } else { bytes })
    }

    /// The bytes that rows and groups may take in a process of so many threads.
    pub fn state(&self, physical: &Physical, threads: usize) -> u64 {
        let Some(bytes) = self.process() else { return u64::MAX };
        let left = bytes.saturating_sub(physical.memory.fixed(threads as u64));
        (left / STATE.1).saturating_mul(STATE.0)
    }

    /// The folder for the rest.
    ///
    /// # Errors
    /// If the one that is asked for is none.
    pub fn folder(&self, outputs: Option<&Path>) -> Result<Choice, Failure> {
        let variable = std::env::var_os("TIDEMILL_SPILL").filter(|v| !v.is_empty());
        let asked = self.spill.clone().or(variable.map(PathBuf::from));
        if let Some(folder) = asked.as_ref().filter(|folder| !folder.is_dir()) {
            let folder = folder.display();
            return Err(Failure::output(format!("{folder} is no folder for --spill")));
        }
        let outputs = outputs.unwrap_or(Path::new("."));
        Ok(choose(asked.as_deref(), &std::env::temp_dir(), outputs))
    }

    /// Options with what this says, which the allocator is told as well.
    ///
    /// # Errors
    /// If there is no folder.
    pub fn options(
        &self,
        options: Options,
        physical: &Physical,
        outputs: Option<&Path>,
    ) -> Result<Options, Failure> {
        let state = self.state(physical, options.threads);
        if let Some(bytes) = self.process() {
            keep_less(bytes, options.threads);
        }
        let memory = self.process().unwrap_or(u64::MAX);
        Ok(Options { memory, state, spill: self.folder(outputs)?.folder, ..options })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sizes() {
        let parse = |text| Size::parse(text).unwrap();
        assert_eq!(parse("2GiB"), Size::Bytes(2 << 30));
        assert_eq!(parse("500MB"), Size::Bytes(500_000_000));
        assert_eq!(parse("1.5 g"), Size::Bytes(1_500_000_000));
        assert_eq!(parse("4096"), Size::Bytes(4096));
        assert_eq!(parse("25%"), Size::Share(0.25));
        for wrong in ["", "GB", "-1GB", "2 bits", "0", "0%", "101%", "1..2"] {
            assert!(Size::parse(wrong).is_err(), "{wrong}");
        }
    }
}
