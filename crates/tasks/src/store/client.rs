//! Clients of stores: one for each store in a process, with credentials from the usual places.
use super::fault::hide;
use super::location::Location;
use super::profile::profile;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Setting};
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A request is given up when nothing has come for so long.
const SILENCE: Duration = Duration::from_secs(60);
/// A server is taken to be away when it has not answered a connection for so long.
const CONNECT: Duration = Duration::from_secs(15);
/// A request is tried so often, with growing waits in between,
const TRIES: usize = 6;
/// and for so long at most.
const TRYING: Duration = Duration::from_secs(120);

/// The client of the store of an address.
///
/// # Errors
/// A sentence, if its settings or credentials cannot be used.
pub(super) fn client(at: &Location) -> Result<Arc<dyn ObjectStore>, String> {
    static CLIENTS: Mutex<Option<HashMap<String, Arc<dyn ObjectStore>>>> = Mutex::new(None);
    // The cryptography of TLS is installed with the event loop.
    crate::runtime::handle()?;
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let clients = clients.get_or_insert_default();
    if let Some(client) = clients.get(&at.store) {
        return Ok(client.clone());
    }
    let client = match at.store.strip_prefix("s3://") {
        Some(bucket) => s3(bucket)?,
        None => server(&at.store)?,
    };
    clients.insert(at.store.clone(), client.clone());
    Ok(client)
}

fn options() -> ClientOptions {
    // A large request may take long, as long as bytes come.
    let options = ClientOptions::new().with_timeout_disabled().with_read_timeout(SILENCE);
    options.with_connect_timeout(CONNECT).with_pool_idle_timeout(Duration::from_secs(30))
}

fn retries() -> RetryConfig {
    RetryConfig { max_retries: TRIES, retry_timeout: TRYING, ..RetryConfig::default() }
}

fn server(root: &str) -> Result<Arc<dyn ObjectStore>, String> {
    let options = options().with_allow_http(root.starts_with("http://"));
    let builder = HttpBuilder::new().with_url(root).with_retry(retries());
    let store = builder.with_client_options(options).build();
    Ok(Arc::new(store.map_err(|e| format!("{root}: {e}"))?))
}

/// Variables come first, then the profile; then what object_store finds: a web identity, a
/// container's or a machine's role.
fn s3(bucket: &str) -> Result<Arc<dyn ObjectStore>, String> {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retries());
    let own = |key: Setting, builder: &AmazonS3Builder| {
        builder.get_config_value(&key).filter(|value| !value.is_empty())
    };
    let allow_http = own(Setting::Client(object_store::ClientConfigKey::AllowHttp), &builder);
    let allow_http = allow_http.is_some_and(|v| matches!(&*v.to_ascii_lowercase(), "true" | "1"));
    builder = builder.with_client_options(options().with_allow_http(allow_http));
    let profile = profile()?;
    let mut settings = vec![("region", Setting::Region), ("endpoint_url", Setting::Endpoint)];
    if own(Setting::AccessKeyId, &builder).is_none() {
        settings.extend([
            ("aws_access_key_id", Setting::AccessKeyId),
            ("aws_secret_access_key", Setting::SecretAccessKey),
            ("aws_session_token", Setting::Token),
        ]);
    }
    for (name, setting) in settings {
        if let (None, Some(value)) = (own(setting, &builder), profile.get(name)) {
            builder = builder.with_config(setting, value);
        }
    }
    for secret in [Setting::AccessKeyId, Setting::SecretAccessKey, Setting::Token] {
        own(secret, &builder).into_iter().for_each(hide);
    }
    let endpoint = own(Setting::S3Endpoint, &builder).or(own(Setting::Endpoint, &builder));
    if let Some(endpoint) = endpoint.filter(|e| e.starts_with("http://") && !allow_http) {
        return Err(format!(
            "the store at {endpoint} is not encrypted: say AWS_ALLOW_HTTP=true if it is to be read"
        ));
    }
    let store = builder.build().map_err(|e| super::fault::told(&format!("s3://{bucket}"), &e))?;
    Ok(Arc::new(store))
}
