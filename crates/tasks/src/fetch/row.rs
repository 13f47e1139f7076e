//! One row: attempts, the waits between them, and its end.
use super::address::Source;
use super::attempt::{Attempt, copy};
use super::client::client;
use super::job::Job;
use super::request::seconds;
use super::sink::Sink;
use super::size::part;
use super::trouble::Trouble;
use super::wait::after;
use super::{Fetch, lock};
use crate::waits::Waits;
use crate::work::{KeyHasher, Made, Rows, Stop};
use std::future::pending;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use tokio::time::sleep;

/// What has come of a row.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) status: Option<i64>,
    pub(super) seconds: f64,
    pub(super) bytes: Option<i64>,
    pub(super) attempts: u32,
    pub(super) body: Option<String>,
    pub(super) made: Option<Made>,
    pub(super) error: Option<String>,
}

/// How far a row has got, for whoever breaks it off.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// 0: none.
    status: AtomicU16,
    attempts: AtomicU32,
    bytes: AtomicU64,
    /// 0: not known.
    total: AtomicU64,
}

impl Seen {
    pub(super) fn status(&self, status: u16) {
        self.status.store(status, Relaxed);
    }

    pub(super) fn bytes(&self, bytes: u64, total: Option<u64>) {
        self.bytes.store(bytes, Relaxed);
        self.total.store(total.unwrap_or(0), Relaxed);
    }

    /// What has come, in words.
    fn so_far(&self) -> String {
        match self.bytes.load(Relaxed) {
            0 => "before anything came".to_owned(),
            n => format!("after {}", part(n, Some(self.total.load(Relaxed)).filter(|t| *t > 0))),
        }
    }
}

impl Fetch {
    /// Downloads for one row; whatever goes wrong is said in the outcome.
    pub(super) async fn row(&self, rows: &Rows, row: usize, stop: Stop) -> Outcome {
        let (begun, seen) = (Instant::now(), Seen::default());
        let ended = match Job::of(&self.spec, rows, row) {
            Ok(job) => self.job(&job, &seen, stop).await.map_err(|why| {
                let attempts = seen.attempts.load(Relaxed);
                let tried =
                    if attempts > 1 { format!(" ({attempts} attempts)") } else { String::new() };
                format!("{}: {why}{tried}", job.source.shown())
            }),
            Err(why) => Err(why),
        };
        let (status, attempts) = (seen.status.load(Relaxed), seen.attempts.load(Relaxed));
        let mut outcome = Outcome {
            status: (status > 0).then_some(i64::from(status)),
            seconds: begun.elapsed().as_secs_f64(),
            bytes: (attempts > 0).then(|| seen.bytes.load(Relaxed) as i64),
            attempts,
            ..Outcome::default()
        };
        match ended {
            Ok((body, made)) => (outcome.body, outcome.made) = (body, made),
            Err(why) => outcome.error = Some(why),
        }
        outcome
    }

    async fn job(
        &self,
        job: &Job,
        seen: &Seen,
        stop: Stop,
    ) -> Result<(Option<String>, Option<Made>), String> {
        self.claim(job)?;
        let limit = async {
            match self.spec.timeout {
                Some(time) => sleep(time).await,
                None => pending().await,
            }
        };
        // What breaks it off drops what has come: a later run may go on with that.
        let sink = tokio::select! {
            biased;
            () = stopped(stop) => return Err("stopped before its end".to_owned()),
            sink = self.in_a_slot(job, seen) => sink?,
            () = limit => {
                let time = seconds(self.spec.timeout.unwrap_or_default());
                return Err(format!("timed out after {time} s, {}", seen.so_far()));
            }
        };
        // From here on it ends soon, and well or not at all.
        sink.publish().await
    }

    /// Downloads when there are files left to do it with.
    async fn in_a_slot(&self, job: &Job, seen: &Seen) -> Result<Sink, String> {
        let _slot = self.waited.slot().await;
        self.download(job, seen).await
    }

    /// No two rows may write one file, unless they are the same.
    fn claim(&self, job: &Job) -> Result<(), String> {
        let Some(place) = &job.place else { return Ok(()) };
        let mut hasher = KeyHasher::default();
        hasher.part(place.target.as_os_str().as_encoded_bytes());
        let mut written = lock(&self.written);
        match *written.entry(hasher.key()).or_insert(place.of) == place.of {
            true => Ok(()),
            false => Err(format!("another row is written to `{}` too", place.target.display())),
        }
    }

    /// Tries until the whole has come, or that is of no use any more.
    async fn download(&self, job: &Job, seen: &Seen) -> Result<Sink, String> {
        let spec = &self.spec;
        let mut sink = match &job.place {
            None => Sink::text(spec.longest_body),
            Some(place) => {
                let (place, replace) = (place.clone(), self.replace());
                let sink = Sink::file(place, replace, job.sha256.is_some()).await;
                sink.map_err(|trouble| trouble.text)?
            }
        };
        let waits = Waits { first: spec.wait, most: spec.longest_wait };
        loop {
            let pace = lock(&self.pace).clone();
            if let Some(pace) = pace {
                pace.turn().await;
            }
            let n = seen.attempts.fetch_add(1, Relaxed) + 1;
            let trouble = match self.attempt(job, &mut sink, seen).await {
                Ok(()) => return Ok(sink),
                Err(trouble) => trouble,
            };
            // What has come is gone on with, if it can be written.
            let trouble = sink.flush().await.err().unwrap_or(trouble);
            if !trouble.again || n > spec.retries {
                sink.leave(&trouble).await;
                return Err(trouble.text);
            }
            sleep(after(&waits, n, trouble.after)).await;
        }
    }

    async fn attempt(&self, job: &Job, sink: &mut Sink, seen: &Seen) -> Result<(), Trouble> {
        match &job.source {
            Source::File(path) => copy(path, sink, seen).await?,
            Source::Web(address) => {
                let client = client(self.spec.connect).map_err(Trouble::last)?;
                let (headers, redirects, stall) =
                    (&job.headers, self.spec.redirects, self.spec.stall);
                let attempt = Attempt { client: &client, address, headers, redirects, stall, seen };
                attempt.run(sink).await?;
            }
        }
        sink.check(job.sha256).await
    }
}

/// Ends when the work is to end before its time.
async fn stopped(mut stop: Stop) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        pending().await
    }
}
