//! The columns that a program gives, asked of it: it gets a batch without rows and answers it.
use super::program::Program;
use super::runner::Runner;
use crate::work::Key;
use arrow_array::RecordBatch;
use base::{DType, DimMask, Field};
use std::collections::HashMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A program that has no time of its own for it answers within this.
const LIMIT: Duration = Duration::from_secs(60);
/// One that has answered is given so long to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// What programs have said in this process: a pipeline is planned more than once.
static KNOWN: Mutex<Option<HashMap<Key, Vec<Field>>>> = Mutex::new(None);

impl Program {
    /// Starts the program, gives it a batch without rows, and takes the columns of its answer.
    ///
    /// # Errors
    /// If it fails: what follows the name of the program in a sentence.
    pub fn trial(&self) -> Result<Vec<Field>, String> {
        let key = self.key();
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fields) = known().as_ref().and_then(|known| known.get(&key)) {
            return Ok(fields.clone());
        }
        let fields = self.ask()?;
        known().get_or_insert_default().insert(key, fields.clone());
        Ok(fields)
    }

    fn ask(&self) -> Result<Vec<Field>, String> {
        let timeout = Some(self.timeout.unwrap_or(LIMIT));
        let program = Program { timeout, gives: None, retries: 0, ..self.clone() };
        let (woken, wait) = channel();
        let wake = move || {
            // Nobody waits any more when this fails.
            let _ = woken.send(());
        };
        let runner = Runner::new(Arc::new(program), Box::new(wake))?;
        runner.send(RecordBatch::new_empty(self.takes.clone()));
        let answer = loop {
            match (runner.take(), runner.end()) {
                (Some(batch), _) => break batch,
                (None, Some(end)) => return Err(end.err().unwrap_or_default()),
                (None, None) => wait.recv().map_err(|_| "has gone".to_owned())?,
            }
        };
        runner.close();
        let end = Instant::now() + FAREWELL;
        while runner.end().is_none() {
            let left = end.saturating_duration_since(Instant::now());
            if wait.recv_timeout(left).is_err() {
                break;
            }
        }
        let field = |field: &Arc<arrow_schema::Field>| {
            let dtype = DType::from_arrow(field.data_type())?;
            let made = Field::new(field.name().as_str(), dtype, DimMask::only(0));
            Some(Field { nullable: field.is_nullable(), ..made })
        };
        let fields: Option<Vec<Field>> = answer.schema().fields().iter().map(field).collect();
        fields.ok_or_else(|| "wrote columns of a type that Tidemill does not have".to_owned())
    }
}
