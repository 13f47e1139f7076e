//! One attempt of a download.
use super::address::Address;
use super::request::{Request, refused, seconds};
use super::sink::Sink;
use super::size::part;
use super::trouble::{Trouble, cause, words};
use super::{Seen, date};
use bytes::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderMap,
    HeaderName, HeaderValue, LAST_MODIFIED,
};
use reqwest::{Client, Response, StatusCode};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Bytes of a file that are read in one go.
const BLOCK: usize = 256 << 10;

/// A download from the web.
pub(super) struct Attempt<'a> {
    pub(super) client: &'a Client,
    pub(super) address: &'a Address,
    pub(super) headers: &'a HeaderMap,
    pub(super) redirects: u32,
    pub(super) stall: Duration,
    pub(super) seen: &'a Seen,
}

impl Attempt<'_> {
    /// Gets the body, or what is missing of it.
    pub(super) async fn run(&self, sink: &mut Sink) -> Result<(), Trouble> {
        if let Some((from, validator)) = sink.left() {
            let response = self.send(Some((from, &validator))).await?;
            match response.status() {
                StatusCode::PARTIAL_CONTENT if continues(&response, from, &validator, sink) => {
                    sink.go_on(range(&response).and_then(|(_, total)| total));
                    return self.receive(response, sink).await;
                }
                // What is there is not of what the server has now, or not in its range.
                StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                    sink.forget();
                    drop(response);
                }
                _ => return self.whole(response, sink).await,
            }
        }
        let response = self.send(None).await?;
        self.whole(response, sink).await
    }

    async fn send(&self, from: Option<(u64, &HeaderValue)>) -> Result<Response, Trouble> {
        let &Attempt { client, address, headers, redirects, stall, .. } = self;
        let request = Request { client, address, headers, from, redirects, stall };
        let response = request.send().await?;
        self.seen.status(response.status().as_u16());
        Ok(response)
    }

    /// Takes an answer to a request for all.
    async fn whole(&self, response: Response, sink: &mut Sink) -> Result<(), Trouble> {
        let status = response.status();
        let whole = status.is_success()
            && !matches!(status, StatusCode::ACCEPTED | StatusCode::PARTIAL_CONTENT);
        if !whole {
            return Err(refused(response).await);
        }
        self.plain(&response)?;
        sink.begin(length(response.headers()), validator(response.headers())).await?;
        self.receive(response, sink).await
    }

    /// A body that comes encoded is taken as it is only by who has asked for that.
    fn plain(&self, response: &Response) -> Result<(), Trouble> {
        let encoding = text(response.headers(), &CONTENT_ENCODING).unwrap_or("identity");
        if encoding.eq_ignore_ascii_case("identity") || self.headers.contains_key(ACCEPT_ENCODING) {
            return Ok(());
        }
        let shown = encoding.chars().take(20).collect::<String>();
        Err(Trouble::last(format!(
            "the server sends it encoded as `{shown}`, though asked not to; the header \
             `Accept-Encoding: {shown}` takes it so, and it is not decoded"
        )))
    }

    async fn receive(&self, mut response: Response, sink: &mut Sink) -> Result<(), Trouble> {
        loop {
            self.seen.bytes(sink.have, sink.total);
            let so_far = |sink: &Sink| part(sink.have, sink.total);
            match timeout(self.stall, response.chunk()).await {
                Ok(Ok(Some(chunk))) => sink.take(chunk).await?,
                Ok(Ok(None)) if sink.total.is_none_or(|total| total == sink.have) => return Ok(()),
                Ok(Ok(None)) => return Err(cut(&so_far(sink), None)),
                Ok(Err(e)) => return Err(cut(&so_far(sink), Some(&e))),
                Err(_) => {
                    let (time, so_far) = (seconds(self.stall), so_far(sink));
                    let text = format!("nothing came for {time} s, after {so_far}");
                    return Err(Trouble::passing(text));
                }
            }
        }
    }
}

/// The connection has ended before the body.
fn cut(so_far: &str, error: Option<&reqwest::Error>) -> Trouble {
    let text = format!("the connection was cut after {so_far}");
    let why = error.map(|e| cause(e)).filter(|why| {
        let plain = ["eof", "end of file", "reset", "closed"];
        !plain.iter().any(|word| why.to_lowercase().contains(word))
    });
    Trouble::passing(why.map_or(text.clone(), |why| format!("{text}: {why}")))
}

/// Whether the rest comes of what is there. A server that knows ranges but not `If-Range` may send
/// the rest of something else.
fn continues(response: &Response, from: u64, known: &HeaderValue, sink: &Sink) -> bool {
    let headers = response.headers();
    let other = [&ETAG, &LAST_MODIFIED].into_iter().any(|name| {
        let same_kind = known.as_bytes().starts_with(b"\"") == (*name == ETAG);
        same_kind && headers.get(name).is_some_and(|value| value != known)
    });
    let Some((start, total)) = range(response) else { return false };
    let length = sink.total.zip(total).is_none_or(|(one, other)| one == other);
    !other && start == from && length && !headers.contains_key(CONTENT_ENCODING)
}

/// First byte and length of the whole, of `bytes 100-199/1234` (RFC 9110, section 14.4).
fn range(response: &Response) -> Option<(u64, Option<u64>)> {
    let (range, total) =
        text(response.headers(), &CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// What tells whether the rest of a body is the rest of this one: its strong entity tag, or the time
/// of its last change if that lies back at least a second (RFC 9110, section 8.8).
fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    let strong = |tag: &&HeaderValue| tag.as_bytes().starts_with(b"\"") && tag.len() > 2;
    if let Some(tag) = headers.get(ETAG).filter(strong) {
        return Some(tag.clone());
    }
    let time = |name| text(headers, name).and_then(date::parse);
    let old = time(&LAST_MODIFIED)? < time(&DATE)?;
    headers.get(LAST_MODIFIED).filter(|_| old).cloned()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// Copies a file of this machine.
pub(super) async fn copy(path: &Path, sink: &mut Sink, seen: &Seen) -> Result<(), Trouble> {
    let path = path.to_owned();
    let opened = spawn_blocking(move || open(path)).await;
    let (mut file, bytes) = opened.map_err(|e| Trouble::last(e.to_string()))??;
    sink.begin(Some(bytes), None).await?;
    loop {
        seen.bytes(sink.have, sink.total);
        let read = spawn_blocking(move || {
            let mut block = Vec::with_capacity(BLOCK);
            (&file).take(BLOCK as u64).read_to_end(&mut block).map(|_| (file, block))
        });
        let read = read.await.map_err(|e| Trouble::last(e.to_string()))?;
        let (back, block) =
            read.map_err(|e| Trouble::last(format!("cannot read: {}", words(&e))))?;
        if block.is_empty() {
            break;
        }
        file = back;
        sink.take(Bytes::from(block)).await?;
    }
    match sink.have == bytes {
        true => Ok(()),
        false => Err(Trouble::last("it was changed while it was read")),
    }
}

fn open(path: PathBuf) -> Result<(File, u64), Trouble> {
    // A FIFO must not be waited for.
    let flags = OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|e| Trouble::last(format!("cannot open: {}", words(&e))))?;
    let about = file.metadata().map_err(|e| Trouble::last(words(&e)))?;
    match about.is_file() {
        true => Ok((file, about.len())),
        false => Err(Trouble::last("it is no regular file")),
    }
}
