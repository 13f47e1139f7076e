//! The profile files of AWS: `~/.aws/credentials` and `~/.aws/config`.
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
use std::collections::HashMap;
use std::env::var_os;
use std::path::PathBuf;

/// What a profile says, by the names of its settings.
pub(super) type Profile = HashMap<String, String>;

/// The profile that `AWS_PROFILE` names, or the one called `default`.
///
/// # Errors
/// A sentence, if `AWS_PROFILE` names one that is not there, or that is of a kind that is not read.
pub(super) fn profile() -> Result<Profile, String> {
    let named = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let name = named.as_deref().unwrap_or("default");
    let text = |file: Option<PathBuf>| file.and_then(|f| std::fs::read_to_string(f).ok());
    let config = text(file("AWS_CONFIG_FILE", "config")).unwrap_or_default();
    let credentials = text(file("AWS_SHARED_CREDENTIALS_FILE", "credentials")).unwrap_or_default();
    let in_config = section(&config, |head| {
        head.strip_prefix("profile").map(str::trim_start).unwrap_or(head) == name
    });
    let in_credentials = section(&credentials, |head| head == name);
    if named.is_some() && in_config.is_none() && in_credentials.is_none() {
        return Err(format!("there is no profile `{name}` in ~/.aws/credentials or ~/.aws/config"));
    }
    let mut all = in_config.unwrap_or_default();
    all.extend(in_credentials.unwrap_or_default());
    if let (Some(_), false, Some(key)) =
        (&named, all.contains_key("aws_access_key_id"), foreign(&all))
    {
        return Err(format!(
            "profile `{name}` has `{key}`, which is not read: set AWS_ACCESS_KEY_ID, \
             AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, as `aws configure export-credentials` \
             prints them"
        ));
    }
    Ok(all)
}

/// A setting that asks for another way to credentials.
fn foreign(profile: &Profile) -> Option<&'static str> {
    let ways = ["credential_process", "sso_session", "sso_start_url", "source_profile", "role_arn"];
    ways.into_iter().find(|way| profile.contains_key(*way))
}

fn file(variable: &str, name: &str) -> Option<PathBuf> {
    let said = var_os(variable).map(PathBuf::from);
    said.or_else(|| Some(PathBuf::from(var_os("HOME")?).join(".aws").join(name)))
}

/// The settings of the sections whose heads pass; `None` if there are none.
fn section(text: &str, passes: impl Fn(&str) -> bool) -> Option<Profile> {
    let (mut found, mut inside) = (None, false);
    for line in text.lines() {
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.starts_with(['#', ';']) || line.is_empty() || nested {
            continue;
        }
        if let Some(head) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            inside = passes(head.trim());
            if inside {
                found.get_or_insert_with(Profile::new);
            }
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            let settings = found.get_or_insert_with(Profile::new);
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_section_has_its_own_settings() {
        let text = "# mine\n[default]\nregion = eu-west-1\ns3 =\n  max_queue_size = 10\n\n\
                    [profile lab]\nregion=us-east-2\n; no\nAWS_ACCESS_KEY_ID = A=B\n";
        let default = section(text, |head| head == "default").unwrap();
        assert_eq!(default.get("region").map(String::as_str), Some("eu-west-1"));
        assert!(!default.contains_key("max_queue_size"));
        let lab = section(text, |head| head == "profile lab").unwrap();
        assert_eq!(lab.get("aws_access_key_id").map(String::as_str), Some("A=B"));
        assert_eq!(section(text, |head| head == "none"), None);
    }
}
