//! Where a body goes: into a text, or onto the disk.
use super::disk::Disk;
use super::place::{Place, Replace};
use super::size::size;
use super::trouble::Trouble;
use crate::work::Made;
use bytes::Bytes;
use reqwest::header::HeaderValue;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

/// Bytes that are written in one go.
const BLOCK: usize = 256 << 10;

/// Where a body goes, and how much of it has come.
pub(super) struct Sink {
    to: To,
    /// Bytes that have come.
    pub(super) have: u64,
    /// Bytes of the whole, if the server has said.
    pub(super) total: Option<u64>,
    /// What tells whether what is there belongs to what the server has now.
    validator: Option<HeaderValue>,
    /// Whether it is put together of answers to several requests.
    pub(super) joined: bool,
}

enum To {
    Text {
        body: Vec<u8>,
        most: u64,
    },
    /// `None` while a thread has it.
    Disk {
        disk: Option<Box<Disk>>,
        waiting: Vec<Bytes>,
        bytes: usize,
    },
}

impl Sink {
    /// Into a text of at most so many bytes.
    pub(super) fn text(most: u64) -> Sink {
        Sink::new(To::Text { body: Vec::new(), most })
    }

    fn new(to: To) -> Sink {
        Sink { to, have: 0, total: None, validator: None, joined: false }
    }

    /// Into a file. Goes on with what an earlier run has left there.
    pub(super) async fn file(
        place: Place,
        replace: Replace,
        hashed: bool,
    ) -> Result<Sink, Trouble> {
        let look = spawn_blocking(move || Disk::look(place, replace, hashed));
        let (disk, left) = look.await.map_err(|_| broken())??;
        let disk = Some(Box::new(disk));
        let mut sink = Sink::new(To::Disk { disk, waiting: Vec::new(), bytes: 0 });
        let Some(left) = left else { return Ok(sink) };
        if let Ok(validator) = HeaderValue::try_from(left.validator) {
            sink.validator = Some(validator);
            (sink.have, sink.total) = (left.have, left.total);
            while hashed && sink.on_disk(Disk::reread).await? {}
        }
        Ok(sink)
    }

    /// From where on to go on, and with what.
    pub(super) fn left(&self) -> Option<(u64, HeaderValue)> {
        self.validator.clone().filter(|_| self.have > 0).map(|validator| (self.have, validator))
    }

    /// The rest comes.
    pub(super) fn go_on(&mut self, total: Option<u64>) {
        (self.joined, self.total) = (true, total.or(self.total));
    }

    /// What has come is of no use.
    pub(super) fn forget(&mut self) {
        self.validator = None;
    }

    /// The whole comes, of this length if that is known.
    pub(super) async fn begin(
        &mut self,
        total: Option<u64>,
        validator: Option<HeaderValue>,
    ) -> Result<(), Trouble> {
        (self.have, self.total, self.joined) = (0, total, false);
        self.validator = validator.clone();
        match &mut self.to {
            To::Text { body, most } => {
                body.clear();
                total.filter(|total| total > most).map_or(Ok(()), |_| Err(too_long(*most)))
            }
            To::Disk { waiting, bytes, .. } => {
                waiting.clear();
                *bytes = 0;
                let begin = move |disk: &mut Disk| {
                    disk.fits(total)?;
                    disk.begin(total, validator.as_ref().and_then(|v| v.to_str().ok()))
                };
                self.on_disk(begin).await
            }
        }
    }

    /// The next bytes.
    pub(super) async fn take(&mut self, chunk: Bytes) -> Result<(), Trouble> {
        self.have += chunk.len() as u64;
        let full = match &mut self.to {
            To::Text { most, .. } if self.have > *most => return Err(too_long(*most)),
            To::Text { body, .. } => {
                body.extend_from_slice(&chunk);
                false
            }
            To::Disk { waiting, bytes, .. } => {
                *bytes += chunk.len();
                waiting.push(chunk);
                *bytes >= BLOCK
            }
        };
        if full { self.flush().await } else { Ok(()) }
    }

    /// Writes what waits.
    pub(super) async fn flush(&mut self) -> Result<(), Trouble> {
        let To::Disk { waiting, bytes, .. } = &mut self.to else { return Ok(()) };
        *bytes = 0;
        let chunks = std::mem::take(waiting);
        if chunks.is_empty() {
            return Ok(());
        }
        self.on_disk(move |disk| disk.write(&chunks)).await
    }

    /// The whole has come: looks whether it is what it should be.
    pub(super) async fn check(&mut self, sha256: Option<[u8; 32]>) -> Result<(), Trouble> {
        self.flush().await?;
        if let Some(expected) = sha256 {
            let sum = match &self.to {
                To::Text { body, .. } => Some(Sha256::digest(body).into()),
                To::Disk { .. } => self.on_disk(|disk| Ok(disk.sum())).await?,
            };
            if sum != Some(expected) {
                return Err(self.wrong_sum(sum.unwrap_or_default()));
            }
        }
        let mut at = Some(0);
        while let (To::Disk { .. }, Some(from)) = (&self.to, at) {
            at = self.on_disk(move |disk| disk.compare(from)).await?;
        }
        Ok(())
    }

    /// What was put together of several answers may be wrong though each was right.
    fn wrong_sum(&mut self, sum: [u8; 32]) -> Trouble {
        let text =
            format!("its SHA-256 is {}, which is not the one given", super::place::hex(&sum));
        self.forget();
        if self.joined { Trouble::passing(text) } else { Trouble::last(text) }
    }

    /// It is whole and right: the text, or the file under its final name.
    pub(super) async fn publish(self) -> Result<(Option<String>, Option<Made>), String> {
        match self.to {
            To::Text { body, .. } => match String::from_utf8(body) {
                Ok(text) => Ok((Some(text), None)),
                Err(e) => {
                    let at = e.utf8_error().valid_up_to();
                    Err(format!("the body is no UTF-8 text (from byte {at} on): give `to:` a file"))
                }
            },
            To::Disk { disk: Some(mut disk), .. } => {
                let made = spawn_blocking(move || disk.publish()).await;
                made.map_err(|_| broken().text)?.map(|made| (None, Some(made)))
            }
            To::Disk { .. } => Err(broken().text),
        }
    }

    /// Takes away what has come, if a later run could not do better with it.
    pub(super) async fn leave(&mut self, trouble: &Trouble) {
        if matches!(self.to, To::Disk { .. }) && (!trouble.again || self.validator.is_none()) {
            let discard = |disk: &mut Disk| {
                disk.discard();
                Ok(())
            };
            drop(self.on_disk(discard).await);
        }
    }

    /// Does something in a thread that may wait for the file system.
    async fn on_disk<T: Send + 'static>(
        &mut self,
        f: impl FnOnce(&mut Disk) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let To::Disk { disk, .. } = &mut self.to else { return Err(broken()) };
        let Some(mut taken) = disk.take() else { return Err(broken()) };
        let job = spawn_blocking(move || {
            let result = f(&mut taken);
            (taken, result)
        });
        let (back, result) = job.await.map_err(|_| broken())?;
        *disk = Some(back);
        result
    }
}

fn too_long(most: u64) -> Trouble {
    Trouble::last(format!("the body is longer than {}: give `to:` a file", size(most)))
}

/// A thread has panicked.
fn broken() -> Trouble {
    Trouble::last("a mistake in Tidemill: a thread that writes has failed")
}
