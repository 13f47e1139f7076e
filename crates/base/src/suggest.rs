//! "Did you mean": the nearest of the names that would be right.

/// The nearest candidate, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let length = name.chars().count();
    let allowed = (length / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter(|c| *c != name)
        // Any two names of one letter are near each other, which says nothing.
        .filter(|c| length > 1 && c.chars().nth(1).is_some() || c.to_lowercase() == lower)
        .filter(|c| c.len().abs_diff(name.len()) <= 4 * allowed)
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, c)| c)
}

/// `did you mean "x"?`, if a candidate is near, else the list of candidates when it is short.
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(name, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    match candidates.len() {
        0 => None,
        1..=12 => Some(format!("there are: {}", candidates.join(", "))),
        _ => None,
    }
}
