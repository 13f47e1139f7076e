//! Downloads: an address for each row, whose body goes into a file or a column.
//!
//! | module | what it has |
//! |---|---|
//! | `address` | addresses of the web and of files, their logins, how they are named in errors |
//! | `check` | what can be told of a step before it runs |
//! | `job` | what one row asks for, and its key |
//! | `row` | attempts and the waits between them, up to the end of a row |
//! | `attempt` | one attempt: all of a body, or the rest of it |
//! | `request` | one request with its redirects |
//! | `client` | the connections of the process |
//! | `sink`, `disk`, `place` | where a body goes: a text, or a file that gets its name when it is whole |
//! | `note`, `own` | what a later run needs to go on with it; files that are trusted |
//! | `wait`, `pace`, `date` | when the next attempt comes, requests a second, dates in headers |
//! | `trouble`, `size` | what has gone wrong, in words |
mod address;
mod attempt;
mod check;
mod client;
mod date;
mod disk;
mod job;
mod note;
mod own;
mod pace;
mod place;
mod request;
mod row;
mod sink;
mod size;
mod trouble;
mod wait;

pub use check::{Part, check, shown};
pub use place::Folder;

use crate::slots::{Kind, Waited};
use crate::template::Template;
use crate::work::{Answer, IsMade, Key, Rows, Setting, Stop, Work};
use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use base::{DType, DimMask, Field, Warning};
use futures::future::{BoxFuture, join_all};
use pace::Pace;
use place::Replace;
use row::{Outcome, Seen};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is downloaded, and how.
#[derive(Clone)]
pub struct Spec {
    /// The address: `https://…`, `http://…`, `file:///…`, or `file:name` below the working folder.
    /// A login in it is sent and never shown.
    pub url: Template,
    /// The file that it goes into; `None`: a column `body`, a text.
    pub to: Option<Template>,
    /// Where `to` lies.
    pub folder: Folder,
    /// Whether it may take the place of any file, and not only of such as a run has made. One that
    /// is there with the same content always stays, and the row has ended well.
    pub overwrite: bool,
    /// Where a `file:` is looked for that does not begin at the root, after the working folder.
    pub beside: Option<PathBuf>,
    /// The most bytes of a body that goes into a column.
    pub longest_body: u64,
    /// Headers of the request, with their values. To another host than that of the address, a
    /// redirect takes only those that tell nothing of who asks.
    pub headers: Vec<(String, Template)>,
    /// Headers whose values are secret: they say who asks, so no answer depends on them.
    pub secrets: Vec<(String, String)>,
    /// The SHA-256 of the body, 64 hexadecimal digits; an empty text is not checked.
    pub sha256: Option<Template>,
    /// The most that a row may take, with all its attempts and waits.
    pub timeout: Option<Duration>,
    /// The most that connecting may take.
    pub connect: Duration,
    /// The longest silence of a server, before and within the body.
    pub stall: Duration,
    /// Attempts after the first one: after broken connections, silence, bodies that are cut, and the
    /// statuses 202, 408, 425, 429 and 500 to 599.
    pub retries: u32,
    /// The most that the first wait between attempts takes. The bound doubles with each attempt,
    /// and each wait is anything up to it.
    pub wait: Duration,
    /// The most that any wait takes, also where the server says more in `Retry-After`.
    pub longest_wait: Duration,
    /// The most redirects that are followed.
    pub redirects: u32,
    /// Attempts a second, for all rows together; each process has an equal share of them.
    pub per_second: Option<f64>,
}

impl Default for Spec {
    fn default() -> Spec {
        Spec {
            url: Template::default(),
            to: None,
            folder: Folder::Working,
            overwrite: false,
            beside: None,
            longest_body: 16_000_000,
            headers: Vec::new(),
            secrets: Vec::new(),
            sha256: None,
            timeout: None,
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            retries: 4,
            wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(120),
            redirects: 10,
            per_second: None,
        }
    }
}

/// The columns that downloads add; `body` if they go into a column.
///
/// `status`: the last status of the server; missing if it has not answered, and for files.
/// `seconds`: of the row, waits included. `bytes`: of the body, or what has come of it.
/// `attempts`: requests, redirects apart.
pub fn fields(body: bool) -> Vec<Field> {
    let columns = [
        ("status", DType::Int64),
        ("seconds", DType::Float64),
        ("bytes", DType::Int64),
        ("attempts", DType::Int64),
        ("body", DType::String),
    ];
    let field =
        |(name, dtype)| Field { nullable: true, ..Field::new(name, dtype, DimMask::only(0)) };
    columns.into_iter().take(if body { 5 } else { 4 }).map(field).collect()
}

/// Downloads of one step in one process.
pub struct Fetch {
    spec: Spec,
    fields: Vec<Field>,
    is_made: Mutex<Option<IsMade>>,
    pace: Mutex<Option<Arc<Pace>>>,
    waited: Waited,
    /// What goes into which file, so that no two rows write one.
    written: Mutex<HashMap<Key, Key>>,
}

impl Fetch {
    /// Of a step.
    pub fn new(spec: Spec) -> Fetch {
        let fields = fields(spec.to.is_none());
        let (is_made, written) = (Mutex::default(), Mutex::default());
        let fetch = Fetch {
            spec,
            fields,
            is_made,
            pace: Mutex::default(),
            waited: Waited::new(Kind::Download),
            written,
        };
        *lock(&fetch.pace) = fetch.paced(1);
        fetch
    }

    /// How fast each of so many processes may be, if that is bounded.
    fn paced(&self, processes: usize) -> Option<Arc<Pace>> {
        let all = self.spec.per_second.filter(|n| n.is_finite() && *n > 0.0)?;
        Some(Arc::new(Pace::new(all / processes.max(1) as f64)))
    }

    /// Which files may be replaced.
    fn replace(&self) -> Replace {
        match (self.spec.overwrite, lock(&self.is_made).clone()) {
            (true, _) => Replace::Always,
            (false, Some(made)) => Replace::Known(made),
            (false, None) => Replace::Never,
        }
    }

    fn answer(&self, outcomes: Vec<Outcome>) -> Answer {
        let ints = |of: fn(&Outcome) -> Option<i64>| -> ArrayRef {
            Arc::new(outcomes.iter().map(of).collect::<Int64Array>())
        };
        let seconds: Float64Array = outcomes.iter().map(|o| Some(o.seconds)).collect();
        let mut columns = vec![
            ints(|o| o.status),
            Arc::new(seconds) as ArrayRef,
            ints(|o| o.bytes),
            ints(|o| Some(i64::from(o.attempts))),
        ];
        if self.spec.to.is_none() {
            let bodies: StringArray = outcomes.iter().map(|o| o.body.as_deref()).collect();
            columns.push(Arc::new(bodies));
        }
        let errors = match outcomes.iter().all(|o| o.error.is_none()) {
            true => Vec::new(),
            false => outcomes.iter().map(|o| o.error.clone()).collect(),
        };
        let made = outcomes.into_iter().filter_map(|o| o.made).collect();
        Answer { columns, errors, made, ..Answer::default() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work for Fetch {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn begin(&self, setting: Setting) {
        *lock(&self.written) = HashMap::new();
        *lock(&self.pace) = self.paced(setting.processes);
        *lock(&self.is_made) = setting.is_made;
    }

    fn key(&self, rows: &Rows) -> Option<Key> {
        job::key(&self.spec, rows)
    }

    fn met(&self) -> Vec<Warning> {
        self.waited.met().into_iter().collect()
    }

    fn run<'a>(&'a self, rows: Rows, stop: Stop) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let each =
                (rows.first..rows.first + rows.count).map(|row| self.row(&rows, row, stop.clone()));
            self.answer(join_all(each).await)
        })
    }
}
