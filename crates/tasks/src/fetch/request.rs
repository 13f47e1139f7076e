//! One request with its redirects, up to the head of the answer.
use super::address::{Address, Source};
use super::trouble::Trouble;
use super::wait;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue,
    IF_RANGE, LOCATION, RANGE, USER_AGENT,
};
use reqwest::{Client, Response, StatusCode};
use std::time::Duration;
use tokio::time::timeout;

/// What tells nothing of who asks goes to other hosts too.
const OPEN: [HeaderName; 4] = [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, USER_AGENT];

/// So much of a body that nobody wants is read, so that its connection can be used again.
const DRAINED: usize = 64 << 10;

/// A request.
pub(super) struct Request<'a> {
    pub(super) client: &'a Client,
    pub(super) address: &'a Address,
    /// Those of the user.
    pub(super) headers: &'a HeaderMap,
    /// From which byte on, if what is there is still of this validator.
    pub(super) from: Option<(u64, &'a HeaderValue)>,
    /// The most redirects that are followed.
    pub(super) redirects: u32,
    /// The longest silence.
    pub(super) stall: Duration,
}

impl Request<'_> {
    /// Sends it and follows redirects; the answer has another status.
    pub(super) async fn send(&self) -> Result<Response, Trouble> {
        let mut address = self.address.clone();
        let mut trusted = true;
        for _ in 0..=self.redirects {
            let response = self.ask(&address, trusted).await?;
            let Some(mut next) = target(&address, &response)? else { return Ok(response) };
            drain(response).await;
            let same = address.trusts(&next);
            next.login = next.login.or_else(|| address.login.filter(|_| same));
            trusted = trusted && same;
            address = next;
        }
        Err(Trouble::last(format!(
            "more than {} redirects, the last one to {}",
            self.redirects,
            address.shown()
        )))
    }

    async fn ask(&self, address: &Address, trusted: bool) -> Result<Response, Trouble> {
        let sent = self.client.get(address.url.clone()).headers(self.head(address, trusted)).send();
        match timeout(self.stall, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(e)) => Err(Trouble::of_request(&e)),
            Err(_) => Err(Trouble::passing(format!("no answer for {} s", seconds(self.stall)))),
        }
    }

    fn head(&self, address: &Address, trusted: bool) -> HeaderMap {
        let mut head = HeaderMap::new();
        // Nothing is decoded: what is written is what the checksum is of.
        head.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in self.headers {
            if trusted || OPEN.contains(name) {
                head.insert(name, value.clone());
            }
        }
        if let Some(login) = &address.login {
            head.insert(AUTHORIZATION, login.clone());
        }
        if let Some((from, validator)) = self.from
            && let Ok(range) = HeaderValue::try_from(format!("bytes={from}-"))
        {
            head.insert(RANGE, range);
            head.insert(IF_RANGE, validator.clone());
        }
        head
    }
}

/// Where an answer sends the request to, if it does.
fn target(from: &Address, response: &Response) -> Result<Option<Address>, Trouble> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let text = String::from_utf8_lossy(location.as_bytes());
    let joined = from.url.join(&text).map_err(|e| e.to_string());
    let next = joined.and_then(|url| match Source::parse(url.as_str())? {
        Source::Web(address) => Ok(address),
        Source::File(_) => Err("it is a file".to_owned()),
    });
    let next = next.map_err(|why| Trouble::last(format!("cannot follow a redirect: {why}")))?;
    if (from.url.scheme(), next.url.scheme()) == ("https", "http") {
        let shown = next.shown();
        let text = format!("it is redirected to {shown}, without encryption, which is refused");
        return Err(Trouble::last(text));
    }
    Ok(Some(next))
}

/// Reads a small body to its end.
async fn drain(mut response: Response) {
    let all = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            if read > DRAINED {
                return;
            }
        }
    };
    // It is of no use to wait for it.
    drop(timeout(Duration::from_millis(500), all).await);
}

/// What a status means that brings no body.
pub(super) async fn refused(response: Response) -> Trouble {
    let status = response.status();
    let text = match status {
        StatusCode::ACCEPTED => "status 202 Accepted: it is not ready yet".to_owned(),
        StatusCode::PARTIAL_CONTENT => "a part was sent where all was asked for".to_owned(),
        status => format!("status {}", named(status)),
    };
    let again = status.is_server_error() || matches!(status.as_u16(), 202 | 408 | 425 | 429);
    let after = wait::said(response.headers());
    drain(response).await;
    Trouble { text, again, after }
}

fn named(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// A time in seconds, as people write it.
pub(super) fn seconds(time: Duration) -> String {
    let text = format!("{:.3}", time.as_secs_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
