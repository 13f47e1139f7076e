//! Who says whether what is staged can be gone on with: the launcher looks, its processes follow.
use crate::numbers::count;
use engine::ledger::{Known, Stages, Survey, Tiles, Trial, lasting};
use formats::Sink;
use plan::Print;
use plan::physical::Node;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Looks at what is staged, and goes on with it, in the launcher.
#[derive(Default)]
pub struct Resumes {
    /// For each output the tiles that are no good.
    spoiled: RefCell<BTreeMap<PathBuf, Vec<u64>>>,
}

impl Trial for Resumes {
    fn spoiled(&self, sink: &dyn Sink, written: &Tiles) -> Vec<u64> {
        let spoiled = sink.spoiled(written);
        self.spoiled.borrow_mut().insert(sink.path().to_path_buf(), spoiled.clone());
        spoiled
    }

    fn goes_on(&self, sink: &dyn Sink, _stage: Print, written: &Tiles) -> bool {
        sink.resume(written).unwrap_or(false)
    }
}

impl Resumes {
    /// What is done again, and why, a sentence for each output.
    pub fn warnings(&self) -> Vec<String> {
        let warning = |(path, tiles): (&PathBuf, &Vec<u64>)| {
            let tiles = count(tiles.len() as u64, "tile");
            let path = path.display();
            format!("{path}: {tiles} of what was staged are not as they were written: done again")
        };
        self.spoiled.borrow().iter().filter(|(_, tiles)| !tiles.is_empty()).map(warning).collect()
    }
}

/// What the launcher has found out, in a process of its run.
pub struct Follows<'a>(pub &'a Stages);

impl Trial for Follows<'_> {
    fn spoiled(&self, sink: &dyn Sink, _written: &Tiles) -> Vec<u64> {
        let known = self.0.iter().find(|known| known.path == sink.path());
        known.map(|known| known.spoiled.clone()).unwrap_or_default()
    }

    fn goes_on(&self, sink: &dyn Sink, stage: Print, written: &Tiles) -> bool {
        let goes_on = self.0.iter().any(|known| known.stage == stage);
        if goes_on {
            sink.expect(written.clone());
        }
        goes_on
    }
}

/// Takes what is noted to be as it is noted.
pub struct Believes;

impl Trial for Believes {
    fn spoiled(&self, _sink: &dyn Sink, _written: &Tiles) -> Vec<u64> {
        Vec::new()
    }

    fn goes_on(&self, _sink: &dyn Sink, _stage: Print, _written: &Tiles) -> bool {
        true
    }
}

/// What each output that is staged and lasts is called: as the ledger calls it, or anew.
pub fn stages(survey: &Survey, run: &str, trial: &Resumes) -> Stages {
    let known = |(node, known): (&Node, &Option<Print>)| {
        let path = lasting(node)?.path().to_path_buf();
        let fresh = Print::of([run.as_bytes(), path.as_os_str().as_encoded_bytes()]);
        let spoiled = trial.spoiled.borrow().get(&path).cloned().unwrap_or_default();
        Some(Known { path, stage: known.unwrap_or(fresh), spoiled })
    };
    survey.physical.nodes.iter().zip(&survey.stages).filter_map(known).collect()
}
