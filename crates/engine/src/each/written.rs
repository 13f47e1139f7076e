//! Outputs of a row: made before it runs, and given their names when it has ended well.
use crate::watch::lock;
use base::Failure;
use formats::Sink;
use plan::physical::{Op, Physical};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tasks::Made;

/// The names that rows of this process have written to.
#[derive(Default)]
pub struct Names(Mutex<HashSet<PathBuf>>);

/// The outputs of a row; if they are not committed they are taken away.
pub struct Outputs<'a> {
    sinks: Vec<Arc<dyn Sink>>,
    names: &'a Names,
    taken: Vec<PathBuf>,
    good: bool,
}

/// The outputs of a plan.
pub fn sinks(physical: &Physical) -> Vec<Arc<dyn Sink>> {
    let sink = |node: &plan::physical::Node| match &node.op {
        Op::Write(sink) => Some(sink.clone()),
        _ => None,
    };
    physical.nodes.iter().filter_map(sink).collect()
}

impl Outputs<'_> {
    /// Makes what is staged, and the folders around it.
    ///
    /// # Errors
    /// If another row has such a name, or it cannot be written there.
    pub fn create<'a>(sinks: &[Arc<dyn Sink>], names: &'a Names) -> Result<Outputs<'a>, Failure> {
        let mut outputs = Outputs { sinks: Vec::new(), names, taken: Vec::new(), good: false };
        for sink in sinks {
            let name = plan::real_name(sink.path());
            if !lock(&names.0).insert(name.clone()) {
                let path = sink.path().display();
                let message = format!(
                    "another row writes `{path}` too: put what tells the rows apart into its name"
                );
                return Err(Failure::output(message));
            }
            outputs.taken.push(name);
            if let Some(folder) = sink.path().parent().filter(|f| !f.as_os_str().is_empty()) {
                let why = |e| Failure::output(format!("cannot make `{}`: {e}", folder.display()));
                std::fs::create_dir_all(folder).map_err(why)?;
            }
            sink.create()?;
            outputs.sinks.push(sink.clone());
        }
        Ok(outputs)
    }

    /// Gives them their names.
    ///
    /// # Errors
    /// If one of them is not there as it was written, or cannot have its name.
    pub fn commit(mut self) -> Result<Vec<Made>, Failure> {
        let mut made = Vec::new();
        for sink in &self.sinks {
            let written = sink.commit()?;
            made.extend(Made::at(&written.path));
        }
        self.good = true;
        Ok(made)
    }
}

impl Drop for Outputs<'_> {
    fn drop(&mut self) {
        if self.good {
            return;
        }
        self.sinks.iter().for_each(|sink| sink.abandon());
        // The row may be tried again.
        let mut names = lock(&self.names.0);
        self.taken.iter().for_each(|name| {
            names.remove(name);
        });
    }
}
