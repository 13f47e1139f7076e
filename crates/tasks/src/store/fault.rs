//! What went wrong with a store, in words, and without secrets.
use object_store::Error;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};

/// So many letters of what a server says are passed on.
const SAID: usize = 300;

static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on this is never part of a message.
pub(super) fn hide(secret: String) {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    if !secret.is_empty() && !secrets.contains(&secret) {
        secrets.push(secret);
        // One may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }
}

/// A text without what is to be hidden.
fn bare(text: &str) -> String {
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"))
}

/// What went wrong with an address, as a sentence.
pub(super) fn told(name: &str, error: &Error) -> String {
    format!("{name}: {}", reason(error))
}

/// What is said of a server that sends a file whole or not at all.
const NO_PARTS: &str = "the server does not serve parts of files: download it first, with `fetch`";

fn reason(error: &Error) -> String {
    match error {
        Error::NotSupported { .. } => NO_PARTS.to_owned(),
        Error::NotFound { .. } => "there is no such object".to_owned(),
        Error::Precondition { .. } | Error::NotModified { .. } => {
            "it was changed while it was read: run again when it is whole".to_owned()
        }
        Error::AlreadyExists { .. } => "it exists already".to_owned(),
        Error::PermissionDenied { .. } => {
            "access is denied (403): the credentials do not allow it, or none are set".to_owned()
        }
        Error::Unauthenticated { .. } => {
            "access is denied (401): credentials are needed".to_owned()
        }
        other => other_reason(&all_causes(other)),
    }
}

/// What else is common, said as what is to be done; else what the client says.
fn other_reason(causes: &str) -> String {
    if causes.contains("non-partial response") {
        return NO_PARTS.to_owned();
    }
    if causes.contains("169.254.") {
        return "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                AWS_PROFILE, or AWS_SKIP_SIGNATURE=true for what all may read"
            .into();
    }
    if let Some((_, cause)) = causes.rsplit_once("HTTP error: ") {
        let cause = cause.strip_prefix("error sending request: ").unwrap_or(cause);
        return short(&format!("it cannot be reached: {cause}"));
    }
    // S3 answers in XML.
    let tag = |name: &str| {
        let from = causes.find(&format!("<{name}>"))? + name.len() + 2;
        let len = causes[from..].find("</")?;
        Some(causes[from..from + len].to_owned())
    };
    match (tag("Code"), tag("Message")) {
        (Some(code), Some(message)) => format!("the store says {code}: {}", bare(&message)),
        _ => short(causes),
    }
}

fn short(text: &str) -> String {
    bare(text).chars().filter(|c| !c.is_control()).take(SAID).collect()
}

/// An error and all that caused it, each said once.
fn all_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_no_message() {
        hide("AKIA-long-one".into());
        hide("AKIA".into());
        let source = "sent <StringToSign>AKIA-long-one</StringToSign> and AKIA".into();
        let said = told("s3://b/k", &Error::Generic { store: "S3", source });
        assert!(!said.contains("AKIA") && said.contains("s3://b/k"), "{said}");
    }

    #[test]
    fn what_s3_says_is_passed_on() {
        let text = "<Error><Code>SlowDown</Code><Message>Please wait</Message></Error>";
        let said = told("s3://b/k", &Error::Generic { store: "S3", source: text.into() });
        assert_eq!(said, "s3://b/k: the store says SlowDown: Please wait");
    }
}
