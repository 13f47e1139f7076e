//! Which of how many processes this is.
use base::{Failure, FailureKind};

/// A process among those of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranks {
    /// Which one, from 0.
    pub rank: usize,
    /// How many there are, two or more.
    pub size: usize,
    /// How many of them are on this host, if that is known.
    pub local: Option<usize>,
    /// The cores of this process, if whoever started it says so.
    pub cores: Option<usize>,
    /// What names the run among those of the same launcher.
    pub job: String,
    /// Who says so: `Slurm`, `Open MPI`, `PMI`, `--hosts`.
    pub by: &'static str,
}

/// Names of variables that say the same. The first one that is set counts.
struct Launcher {
    by: &'static str,
    rank: &'static str,
    size: &'static str,
    local: &'static str,
    cores: &'static str,
    job: &'static [&'static str],
}

/// Slurm's step variables, which `srun` sets and a batch script itself does not have; those of
/// Open MPI's `mpirun`; those of PMI launchers (MPICH's Hydra, Intel MPI).
static LAUNCHERS: [Launcher; 3] = [
    Launcher {
        by: "Slurm",
        rank: "SLURM_PROCID",
        size: "SLURM_STEP_NUM_TASKS",
        local: "SLURM_STEP_TASKS_PER_NODE",
        cores: "SLURM_CPUS_PER_TASK",
        job: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
    },
    Launcher {
        by: "Open MPI",
        rank: "OMPI_COMM_WORLD_RANK",
        size: "OMPI_COMM_WORLD_SIZE",
        local: "OMPI_COMM_WORLD_LOCAL_SIZE",
        cores: "",
        job: &["PMIX_NAMESPACE"],
    },
    Launcher {
        by: "PMI",
        rank: "PMI_RANK",
        size: "PMI_SIZE",
        local: "MPI_LOCALNRANKS",
        cores: "",
        job: &["PMI_JOBID"],
    },
];

impl Ranks {
    /// What the environment says; `None` if nothing, or there is only this process.
    ///
    /// # Errors
    /// If a variable holds what it cannot.
    pub fn found(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Ranks>, Failure> {
        for launcher in &LAUNCHERS {
            let (Some(rank), Some(size)) = (variable(launcher.rank), variable(launcher.size))
            else {
                continue;
            };
            let number = |text: &str| text.trim().parse::<usize>().ok();
            let (rank, size) = match (number(&rank), number(&size)) {
                (Some(r), Some(s)) if r < s => (r, s),
                _ => {
                    let Launcher { by, rank: r, size: s, .. } = launcher;
                    let message =
                        format!("{by} says {r}={rank} and {s}={size}: not a rank of so many");
                    return Err(Failure::new(FailureKind::Pipeline, message));
                }
            };
            if size == 1 {
                return Ok(None);
            }
            let job: Vec<String> = launcher.job.iter().filter_map(|name| variable(name)).collect();
            return Ok(Some(Ranks {
                rank,
                size,
                // Slurm writes `2(x3),1`: only one number for all hosts is understood here.
                local: variable(launcher.local).and_then(|t| number(t.split('(').next()?)),
                cores: variable(launcher.cores).and_then(|t| number(&t)),
                job: job.join("."),
                by: launcher.by,
            }));
        }
        Ok(None)
    }

    /// What the user says.
    ///
    /// # Errors
    /// If there are not so many addresses.
    pub fn said(process: usize, addresses: &[String]) -> Result<Ranks, Failure> {
        let size = addresses.len();
        if process >= size || size < 2 {
            let message = match size {
                0 | 1 => "--hosts names one process: give two or more, or leave it out".to_owned(),
                _ => format!(
                    "--process {process}: --hosts names {size} processes, 0 to {}",
                    size - 1
                ),
            };
            return Err(Failure::new(FailureKind::Pipeline, message));
        }
        let host = super::hosts::name(&addresses[process]);
        let local = addresses.iter().filter(|a| super::hosts::name(a) == host).count();
        let job = String::new();
        Ok(Ranks { rank: process, size, local: Some(local), cores: None, job, by: "--hosts" })
    }

    /// The cores of this process, of `cores` that this host allows it; `all` are there.
    pub fn share(&self, cores: usize, all: usize) -> usize {
        let share = match (self.cores, self.local) {
            (Some(said), _) => said.min(cores),
            // Who may use all cores of the host is not bound to its own: they are shared.
            (None, Some(local)) if cores == all => cores / local.max(1),
            _ => cores,
        };
        share.max(1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(pairs: &[(&str, &str)]) -> Result<Option<Ranks>, Failure> {
        let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Ranks::found(&get)
    }

    #[test]
    fn launchers_are_understood() {
        let slurm = [
            ("SLURM_PROCID", "3"),
            ("SLURM_STEP_NUM_TASKS", "8"),
            ("SLURM_STEP_TASKS_PER_NODE", "4(x2)"),
            ("SLURM_CPUS_PER_TASK", "2"),
            ("SLURM_JOB_ID", "77"),
            ("SLURM_STEP_ID", "0"),
        ];
        let ranks = found(&slurm).unwrap().unwrap();
        assert_eq!((ranks.rank, ranks.size, ranks.by), (3, 8, "Slurm"));
        assert_eq!((ranks.local, ranks.cores, &*ranks.job), (Some(4), Some(2), "77.0"));
        let mpi = [("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "2")];
        assert_eq!(found(&mpi).unwrap().unwrap().by, "Open MPI");
        let pmi = [("PMI_RANK", "0"), ("PMI_SIZE", "2")];
        assert_eq!(found(&pmi).unwrap().unwrap().by, "PMI");
    }

    #[test]
    fn a_batch_script_and_a_step_of_one_task_are_one_process() {
        assert_eq!(found(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")]).unwrap(), None);
        assert_eq!(found(&[("PMI_RANK", "0"), ("PMI_SIZE", "1")]).unwrap(), None);
        assert_eq!(found(&[]).unwrap(), None);
    }

    #[test]
    fn nonsense_is_told() {
        for (rank, size) in [("4", "4"), ("x", "2"), ("", "2")] {
            let failure = found(&[("PMI_RANK", rank), ("PMI_SIZE", size)]).unwrap_err();
            assert!(failure.message.contains("PMI_RANK"), "{failure}");
        }
    }

    #[test]
    fn cores_are_shared_by_those_who_are_not_bound() {
        let ranks = |local, cores| Ranks {
            rank: 0,
            size: 4,
            local,
            cores,
            job: String::new(),
            by: "Slurm",
        };
        assert_eq!(ranks(Some(2), Some(3)).share(8, 8), 3);
        assert_eq!(ranks(Some(2), None).share(8, 8), 4);
        assert_eq!(ranks(Some(2), None).share(2, 8), 2);
        assert_eq!(ranks(Some(16), None).share(8, 8), 1);
        assert_eq!(ranks(None, None).share(8, 8), 8);
    }
}
