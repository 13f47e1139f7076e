//! The table of formats.
use crate::{Format, csv, image, ipc, netcdf, parquet};
use std::path::Path;

base::table! {
    /// All formats, by name.
    pub FORMATS: dyn Format = [
        ipc::ARROW,
        csv::CSV,
        image::IMAGE,
        netcdf::NETCDF,
        parquet::PARQUET,
    ]
}

/// The format of this name.
pub fn format_named(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|f| f.name() == name)
}

/// The format that the ending of a file's name means; a directory of `*.parquet` files is Parquet.
pub fn format_for_path(path: &Path) -> Option<&'static dyn Format> {
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    let by_ending = ending.and_then(|ending| {
        FORMATS.iter().copied().find(|f| f.extensions().contains(&ending.as_str()))
    });
    by_ending.or_else(|| holds_parts(path).then(|| format_named("parquet")).flatten())
}

fn holds_parts(path: &Path) -> bool {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|e| e.path()).any(|p| p.extension().is_some_and(|e| e == "parquet"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn formats_are_sorted_documented_and_found() {
        assert!(FORMATS.is_sorted_by_key(|f| f.name()));
        for format in FORMATS {
            assert!(format.summary().ends_with('.'), "{}", format.name());
            for key in format.read_options().iter().chain(format.write_options()) {
                assert!(key.doc.ends_with('.'), "{} {}", format.name(), key.name);
            }
            for ending in format.extensions() {
                let found = format_for_path(Path::new(&format!("a/b.{ending}"))).unwrap();
                assert_eq!(found.name(), format.name());
            }
        }
        assert!(format_for_path(Path::new("x.unknown")).is_none());
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("part-00000.parquet"), "").unwrap();
        assert_eq!(format_for_path(dir.path()).unwrap().name(), "parquet");
    }
}
