//! `Stream`: rows through a program of the user's, a batch for each tile.
//!
//! The program runs beside the worker, which never waits for it: tiles go in, and what has come out
//! goes on, in their order.
use super::{Out, Stage};
use crate::credit::{Credit, Wake};
use crate::parcel::{Item, Parcel};
use crate::watch::{Watch, lock};
use arrow_array::RecordBatch;
use base::{Code, Failure, Schema, Tile, Warning, grouped};
use plan::physical::TILE_INDEX_BITS;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use tasks::stream::{Program, Runner, Said};

/// So many batches are in a program at most: one that it reads, one that it works on, one that is
/// read from it, and one more.
const DEPTH: usize = 4;

/// A program and what is in it.
pub struct Stream {
    program: Arc<Program>,
    takes: Schema,
    gives: Schema,
    watch: Arc<Watch>,
    runner: Option<Runner>,
    wake: Arc<Mutex<Option<Wake>>>,
    /// What was given to the program and has not come back, and what must wait for it.
    inside: VecDeque<Inside>,
    closed: bool,
}

/// Something on its way.
enum Inside {
    /// A batch in the program.
    Batch { number: u64, credit: Option<Credit>, what: String },
    /// What need not go through it.
    Beside(Item),
}

impl Stream {
    /// For one worker; the program is given rows of `takes` and gives rows of `gives`.
    pub fn new(
        program: &Arc<Program>,
        takes: &Schema,
        gives: &Schema,
        watch: &Arc<Watch>,
    ) -> Stream {
        Stream {
            program: program.clone(),
            takes: takes.clone(),
            gives: gives.clone(),
            watch: watch.clone(),
            runner: None,
            wake: Arc::default(),
            inside: VecDeque::new(),
            closed: false,
        }
    }

    /// The program; it is started when there is a first batch.
    fn runner(&mut self) -> Result<&Runner, Failure> {
        let runner = match self.runner.take() {
            Some(runner) => runner,
            None => {
                let wake = self.wake.clone();
                let wake = move || {
                    if let Some(wake) = &*lock(&wake) {
                        wake();
                    }
                };
                Runner::new(self.program.clone(), Box::new(wake)).map_err(Failure::internal)?
            }
        };
        Ok(self.runner.insert(runner))
    }

    /// Gives on what has come out of the program.
    fn pull(&mut self, out: Out) -> Result<(), Failure> {
        while let Some(first) = self.inside.pop_front() {
            match first {
                Inside::Beside(item) => out(item),
                Inside::Batch { number, credit, what } => {
                    let Some(runner) = &self.runner else { return Err(lost()) };
                    match (runner.take(), runner.end()) {
                        (Some(batch), _) => {
                            let tile = self.tile_of(number, &batch)?;
                            out(Item::Tile(Parcel { tile, credit }));
                        }
                        // It may have come between the two looks.
                        (None, Some(end)) if !runner.has_answer() => {
                            return Err(self.failed(number, &what, end));
                        }
                        (None, _) => {
                            self.inside.push_front(Inside::Batch { number, credit, what });
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// An answer as a tile.
    fn tile_of(&self, number: u64, batch: &RecordBatch) -> Result<Tile, Failure> {
        let most = 1u64 << TILE_INDEX_BITS;
        if batch.num_rows() as u64 > most || number >= most >> 1 {
            let name = self.program.shown();
            let rows = grouped(batch.num_rows() as u64);
            return Err(Failure::data(format!("`{name}` answered a batch with {rows} rows")));
        }
        Ok(Tile::from_batch(number, number << TILE_INDEX_BITS, batch))
    }

    fn failed(&self, number: u64, what: &str, end: Result<Said, String>) -> Failure {
        let why = end.err().unwrap_or_else(|| "ended".to_owned());
        let name = self.program.shown();
        let (why, said) = why.split_once('\n').unwrap_or((&why, ""));
        let said = if said.is_empty() { String::new() } else { format!("\n{said}") };
        let message = format!("`{name}` failed on {what}: it {why}{said}");
        Failure::data(message).context(format!("{}{number}", crate::dataflow::TILE))
    }

    /// What of a tile a user may look for: its rows.
    fn what(&self, tile: &Tile) -> String {
        let rows = tile.points();
        let plural = if rows == 1 { "" } else { "s" };
        let count = format!("a batch of {} row{plural}", grouped(rows as u64));
        let names = self.takes.domain.dims.iter().map(|dim| &*dim.name);
        let place = || names.zip(&tile.origin).map(|(name, at)| format!("{name} {at}"));
        match &tile.index {
            Some(index) if !index.is_empty() => {
                format!("{count}, the first of them row {}", index.value(0))
            }
            None if self.takes.domain.is_box() => {
                format!("{count}, the first of them at {}", place().collect::<Vec<_>>().join(", "))
            }
            _ => count,
        }
    }

    /// Tells what the program left to say.
    fn tell(&self, said: &Said) {
        let name = self.program.shown();
        let warn = |message: String, count: u64| {
            self.watch.warn([Warning::new(Code::ProgramSaid, message).count(count)]);
        };
        if said.lines > 0 {
            let message = format!(
                "`{name}` wrote {{n}} line{{s}} to its standard error, such as `{}`",
                said.last
            );
            warn(message, said.lines);
        }
        if said.again > 0 {
            warn(format!("`{name}` failed and was started again {{n}} time{{s}}"), said.again);
        }
        if said.forced {
            warn(format!("{{n}} process{{s}} of `{name}` did not end by itself and was ended"), 1);
        }
    }

    /// Whether what comes next is there.
    fn ready(&self) -> bool {
        match (self.inside.front(), &self.runner) {
            (Some(Inside::Batch { .. }), Some(runner)) => runner.has(),
            (Some(_), _) => true,
            (None, Some(runner)) => !self.closed || runner.end().is_some(),
            (None, None) => true,
        }
    }
}

fn lost() -> Failure {
    Failure::internal("a batch waits for a program that was not started")
}

impl Stage for Stream {
    fn wake_by(&mut self, wake: Wake) {
        *lock(&self.wake) = Some(wake);
    }

    fn tile(&mut self, _input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        let Parcel { tile, credit } = parcel;
        if tile.points() == 0 {
            let nothing = RecordBatch::new_empty(self.gives.arrow());
            let tile = self.tile_of(tile.number, &nothing)?;
            self.inside.push_back(Inside::Beside(Item::Tile(Parcel { tile, credit })));
        } else {
            let batch = tile.to_batch(&self.takes).map_err(|e| Failure::internal(e.to_string()))?;
            let (number, what) = (tile.number, self.what(&tile));
            self.runner()?.send(batch);
            self.inside.push_back(Inside::Batch { number, credit, what });
        }
        self.pull(out)
    }

    fn closed(&mut self, _in: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        self.inside.push_back(Inside::Beside(Item::Closed(numbers)));
        self.pull(out)
    }

    fn idle(&mut self, out: Out) -> Result<bool, Failure> {
        self.pull(out)?;
        Ok(false)
    }

    fn full(&self) -> bool {
        let batches = self.inside.iter().filter(|item| matches!(item, Inside::Batch { .. }));
        // A run that stops does not wait for answers.
        !self.watch.draining() && batches.count() >= DEPTH
    }

    fn waits(&self) -> bool {
        !self.ready()
    }

    fn finish(&mut self, out: Out) -> Result<(), Failure> {
        self.closed = true;
        if let Some(runner) = &self.runner {
            runner.close();
        }
        self.pull(out)
    }

    fn more(&mut self, out: Out) -> Result<bool, Failure> {
        self.pull(out)?;
        let Some(runner) = self.runner.as_ref().filter(|_| self.closed) else { return Ok(false) };
        match runner.end().filter(|_| self.inside.is_empty()) {
            None => Ok(true),
            Some(Ok(said)) => {
                self.tell(&said);
                self.runner = None;
                Ok(false)
            }
            Some(Err(why)) => {
                let (name, (why, said)) =
                    (self.program.shown(), why.split_once('\n').unwrap_or((&why, "")));
                Err(Failure::data(format!("`{name}` {why}\n{said}").trim_end()))
            }
        }
    }
}
