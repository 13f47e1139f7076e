//! Where the processes of a run come from: this launcher, Slurm, an MPI launcher, or the user.
//!
//! | file | what it has |
//! |---|---|
//! | `ranks` | rank and size, from the variables that Slurm, Open MPI and PMI set |
//! | `hosts` | `--hosts` |
//! | `interfaces` | the addresses of this host |
//! | `secret` | the words that all processes of a run were given |
//! | `meeting` | the private file through which processes find the first one |
mod hosts;
mod interfaces;
mod meeting;
mod ranks;
mod secret;

pub use hosts::listening;
pub use meeting::Meeting;
pub use ranks::Ranks;

use base::{Failure, FailureKind};
use clap::Args;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which processes there are.
#[derive(Args, Clone, Debug)]
pub struct LaunchArgs {
    /// Processes on this machine [default: 1, or those that Slurm or an MPI launcher has started]
    #[arg(short = 'n', long, value_name = "N")]
    pub processes: Option<NonZeroUsize>,
    /// Where the processes of a run over several hosts listen; or a file with such a line each
    #[arg(long, value_name = "HOST:PORT,…|FILE", requires = "process")]
    pub hosts: Option<String>,
    /// Which of --hosts this process is, from 0
    #[arg(long, value_name = "I", requires = "hosts", conflicts_with = "processes")]
    pub process: Option<usize>,
    /// A file, readable by you alone, with words that all processes of the run know [default:
    /// the variable TIDEMILL_SECRET]
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// The name under which other hosts reach this one [default: the variable TIDEMILL_ADDRESS, or
    /// what Slurm or the system calls it]
    #[arg(long, value_name = "HOST")]
    pub address: Option<String>,
    /// How long the processes of several hosts have to find each other, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// How long the tiles in hand may take when a signal ends the run, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub grace: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|s| *s > 0.0 && *s < 1e6);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds".into())
}

/// How the processes of a run come to be.
pub enum Launch {
    /// This launcher starts so many on this machine.
    Here(usize),
    /// Each has been started by something else; this is one of them.
    Spread(Box<Spread>),
}

/// One of several processes, each with a launcher of its own.
pub struct Spread {
    /// Which one, of how many, and who says so.
    pub ranks: Ranks,
    /// What this host is called.
    pub host: String,
    /// Where others may reach it, a name or an address each, the best first.
    pub reached: Vec<String>,
    /// How the others find process 0.
    pub meeting: Meeting,
    /// Where each process listens, as far as that is known, `host:port`.
    pub addresses: Vec<String>,
    /// How long all processes have to find each other.
    pub deadline: Duration,
    /// How long tiles in flight may take when the run is to stop.
    pub grace: Duration,
}

impl LaunchArgs {
    /// What the arguments and the environment say. `key` names the run among those of its user,
    /// the same in all of its processes; `folder` is one that all of them see.
    ///
    /// # Errors
    /// If they contradict each other, or a secret is lacking, or others can read it.
    pub fn launch(&self, key: &str, folder: &Path) -> Result<Launch, Failure> {
        let secret = secret::given(self.secret_file.as_deref())?;
        let variable = |name: &str| std::env::var(name).ok();
        let said = self.address.clone().or_else(|| variable("TIDEMILL_ADDRESS"));
        let node = variable("SLURMD_NODENAME");
        if let (Some(list), Some(process)) = (&self.hosts, self.process) {
            let addresses = hosts::addresses(list)?;
            let ranks = Ranks::said(process, &addresses)?;
            let secret = secret.ok_or_else(secret::lacking)?;
            let meeting = Meeting::At(addresses[0].clone(), secret);
            let name = || hosts::name(&addresses[process]).to_owned();
            let host = said.or(node).unwrap_or_else(name);
            let (reached, deadline, grace) = (vec![host.clone()], self.connect_timeout, self.grace);
            let spread = Spread { ranks, host, reached, meeting, addresses, deadline, grace };
            return Ok(Launch::Spread(Box::new(spread)));
        }
        match (Ranks::found(&variable)?, self.processes) {
            (Some(ranks), Some(_)) => Err(Failure::new(
                FailureKind::Pipeline,
                format!(
                    "{} has started {} processes, and -n would start more in each: leave out -n",
                    ranks.by, ranks.size
                ),
            )),
            (Some(ranks), None) => Ok(Launch::Spread(Box::new(Spread {
                meeting: Meeting::through(folder, &ranks, key, secret),
                reached: match &said {
                    Some(address) => vec![address.clone()],
                    None => names(node.clone()),
                },
                host: said.or(node).unwrap_or_else(host_name),
                addresses: vec![String::new(); ranks.size],
                ranks,
                deadline: self.connect_timeout,
                grace: self.grace,
            }))),
            (None, n) => Ok(Launch::Here(n.map_or(1, NonZeroUsize::get))),
        }
    }
}

/// Where others may reach this host: not all know it by what Slurm or the system calls it, nor are
/// all of its addresses of a network that they are in.
fn names(node: Option<String>) -> Vec<String> {
    let mut names: Vec<String> = node.into_iter().chain([host_name()]).collect();
    names.dedup();
    names.extend(interfaces::addresses().iter().map(ToString::to_string));
    names
}

/// What the system calls this host.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}
