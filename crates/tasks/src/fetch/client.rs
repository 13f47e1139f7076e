//! The client of the process: connections are kept and shared by all rows and steps.
use crate::runtime;
use reqwest::{Client, redirect};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// Whom servers see.
const AGENT: &str = concat!("tidemill/", env!("CARGO_PKG_VERSION"));

/// Connections that nobody uses are closed after this time.
const IDLE: Duration = Duration::from_secs(60);

/// The client that gives up connecting after so long; one for each such time.
///
/// Proxies are those of the variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, of
/// upper or lower case; certificates those of the system, or of `SSL_CERT_FILE`.
///
/// # Errors
/// If there can be no client: a sentence.
pub(super) fn client(connect: Duration) -> Result<Client, String> {
    static CLIENTS: LazyLock<Mutex<HashMap<Duration, Client>>> = LazyLock::new(Mutex::default);
    // It brings the cryptography.
    runtime::handle()?;
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(&connect) {
        return Ok(client.clone());
    }
    let builder = || {
        Client::builder()
            .user_agent(AGENT)
            .connect_timeout(connect)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .referer(false)
    };
    // Without certificates of the system, as in small containers, `http:` still works.
    let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
    let client = client.map_err(|e| format!("no client for downloads: {e}"))?;
    clients.insert(connect, client.clone());
    Ok(client)
}
