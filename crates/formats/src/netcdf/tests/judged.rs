//! What is read is what the NetCDF library reads, bit by bit; and damaged files end in a sentence.
use super::library::{Judge, Known};
use super::*;
use crate::netcdf::file::NcFile;
use crate::netcdf::header::{NamedAttributes, Raw, RawVariable};
use crate::netcdf::read::values;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn files() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [here.join("tests/netcdf"), here.join("../../data")];
    let listed = folders.iter().flat_map(|f| std::fs::read_dir(f).unwrap());
    let paths = listed.map(|e| e.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|p| p.extension().is_some_and(|e| e == "nc")).collect();
    paths.sort();
    paths
}

#[test]
fn as_the_library_reads() {
    let paths = files();
    assert!(paths.len() > 12);
    for path in paths {
        let Ok(judge) = Judge::open(&path) else {
            // Newer than this library.
            assert!(path.to_string_lossy().contains("h5_latest"), "{}", path.display());
            read_all(&path).unwrap();
            continue;
        };
        let file = File::open(&path).unwrap();
        let ours = NcFile::open(&file).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(ours.is_hdf5(), judge.is_hdf5());
        group(&path, &judge, judge.root(), &file, &ours, "");
    }
}

fn group(path: &Path, judge: &Judge, id: i32, file: &File, ours: &NcFile, at: &str) {
    let place = format!("{}{at}", path.display());
    let own = ours.groups(at).unwrap().pop().unwrap();
    let attributes = ours.attributes(&own).unwrap();
    // The library does not find those of groups that keep no order.
    if let Ok(known) = judge.attributes(id) {
        assert_eq!(sorted(&attributes), sorted(&known), "{place}");
    }
    let known = judge.variables(id).unwrap();
    let found = ours.variables(&own).unwrap();
    let names = |list: &[RawVariable]| list.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), known.iter().map(|k| k.name.clone()).collect::<Vec<_>>(), "{place}");
    for (known, found) in known.iter().zip(&found) {
        same(&format!("{place}: {}", known.name), judge, known, (file, ours, found));
    }
    let inner = judge.inner(id).unwrap();
    let names: Vec<String> = inner.iter().map(|i| i.0.clone()).collect();
    assert_eq!(ours.inner_groups(&own).unwrap(), names, "{place}");
    for (name, id) in inner {
        group(path, judge, id, file, ours, &format!("{at}/{name}"));
    }
}

/// Attributes in the order of their names: that of their creation is not read.
fn sorted(attributes: &NamedAttributes) -> NamedAttributes {
    let mut list = attributes.clone();
    list.sort_by(|a, b| a.0.cmp(&b.0));
    list
}

fn same(
    place: &str,
    judge: &Judge,
    known: &Known,
    (file, ours, found): (&File, &NcFile, &RawVariable),
) {
    assert_eq!(found.raw, known.raw, "{place}");
    let dims: Vec<(String, u64)> = found.dims.iter().map(|d| (d.name.clone(), d.size)).collect();
    assert_eq!(dims, known.dims, "{place}");
    assert_eq!(sorted(&found.attributes), sorted(&known.attributes), "{place}");
    assert_eq!(found.chunks, known.chunks, "{place}");
    if found.raw == Raw::Other {
        assert!(found.kind.is_some(), "{place}");
        return;
    }
    let sizes: Vec<usize> = known.dims.iter().map(|d| d.1 as usize).collect();
    let origins = [vec![0u64; sizes.len()], sizes.iter().map(|s| *s as u64 / 3).collect()];
    for origin in origins {
        let shape: Vec<usize> = sizes.iter().zip(&origin).map(|(s, o)| s - *o as usize).collect();
        let bytes = values(file, ours, found, &origin, &shape);
        let bytes = bytes.unwrap_or_else(|e| panic!("{place}: {e}"));
        if found.raw == Raw::Text {
            let values = bytes.chunks_exact(found.stored.width);
            let texts: Vec<String> = values.map(|v| ours.text(found, v).unwrap()).collect();
            if !found.stored.far {
                // Of fixed length the library reads only the first.
                assert!(
                    ["x", "yy", "zzz"]
                        .ends_with(&texts.iter().map(String::as_str).collect::<Vec<_>>())
                );
                continue;
            }
            assert_eq!(texts, judge.read_texts(known, &origin, &shape).unwrap(), "{place}");
            continue;
        }
        let mut wanted = vec![0; bytes.len()];
        let judged = judge.read(known, &origin, &shape, &mut wanted);
        // Filters that this library was built without.
        if judged.is_err() && known.name == "lzf" && origin[0] == 0 {
            wanted = (0..600).flat_map(|i| f64::from(i / 7).to_ne_bytes()).collect();
        } else if judged.is_err() {
            assert!(known.name == "lzf" || known.name.starts_with("szip"), "{place}: {judged:?}");
            continue;
        }
        assert_eq!(&bytes[..], wanted, "{place}");
    }
}

/// Opens a file and reads all of it that is not absurdly large.
fn read_all(path: &Path) -> Result<(), String> {
    let file = File::open(path).unwrap();
    let ours = NcFile::open(&file)?;
    for variable in ours.variables(&ours.groups("").unwrap()[0])? {
        let points = variable.dims.iter().try_fold(1u64, |n, d| n.checked_mul(d.size));
        if points.is_none_or(|p| p > 1 << 20) || variable.raw == Raw::Other {
            continue;
        }
        let shape: Vec<usize> = variable.dims.iter().map(|d| d.size as usize).collect();
        let bytes = values(&file, &ours, &variable, &vec![0; shape.len()], &shape)?;
        if variable.raw == Raw::Text {
            for value in bytes.chunks_exact(variable.stored.width) {
                ours.text(&variable, value)?;
            }
        }
    }
    Ok(())
}

/// FNV-1a of the numbers of each variable of a file (Fowler, Noll, Vo).
fn sums(path: &Path) -> Vec<(String, String)> {
    let file = File::open(path).unwrap();
    let ours = NcFile::open(&file).unwrap();
    let mut list = ours.variables(&ours.groups("").unwrap()[0]).unwrap();
    list.retain(|v| v.raw.width() > 0 && v.raw != Raw::Char);
    list.sort_by(|a, b| a.name.cmp(&b.name));
    let sum = |variable: &RawVariable| {
        let shape: Vec<usize> = variable.dims.iter().map(|d| d.size as usize).collect();
        let bytes = values(&file, &ours, variable, &vec![0; shape.len()], &shape).unwrap();
        let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let sum = bytes.as_slice().iter().fold(0xcbf2_9ce4_8422_2325, step);
        (variable.name.clone(), format!("{sum:016x}"))
    };
    list.iter().map(sum).collect()
}

/// Files of HDF5's newest forms, with fixed and extensible arrays and B-trees of version 2 as
/// indices of chunks, hold what h5py says that they hold.
#[test]
fn all_indices_of_chunks_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/netcdf");
    let known = std::fs::read_to_string(folder.join("values.txt")).unwrap();
    for name in ["h5_earliest_0.nc", "h5_latest_0.nc", "h5_latest_1.nc"] {
        let lines =
            known.lines().filter_map(|line| line.strip_prefix(name)?.trim().split_once(' '));
        let known: Vec<_> = lines.map(|(a, b)| (a.to_string(), b.to_string())).collect();
        assert!(known.len() > 10);
        assert_eq!(sums(&folder.join(name)), known, "{name}");
    }
}

/// Numbers in no order (Steele, Lea and Flood 2014).
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}

/// Changes a few bits or bytes, or copies a piece of a file elsewhere; mostly in its headers.
fn mutate(bytes: &mut Vec<u8>, noise: &mut Noise) {
    for _ in 0..1 + noise.next(3) {
        let at = noise.next(bytes.len());
        match noise.next(5) {
            0 => bytes[at] ^= 1 << noise.next(8),
            1 => bytes[at] = [0, 0xff, 0x7f, 0x80][noise.next(4)],
            2 => bytes[at] = noise.next(256) as u8,
            3 => {
                let (from, len) = (noise.next(bytes.len()), 1 + noise.next(16));
                let len = len.min(bytes.len() - from.max(at));
                bytes.copy_within(from..from + len, at);
            }
            _ if noise.next(8) == 0 => bytes.truncate(at.max(8)),
            _ => {
                let end = bytes.len().min(at + 8);
                bytes[at..end].fill(0xff);
            }
        }
    }
}

#[test]
fn damaged_files_end_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nc");
    let rounds = std::env::var("TIDEMILL_MUTANTS").ok().and_then(|n| n.parse().ok());
    let rounds: usize = rounds.unwrap_or(500);
    let files: Vec<Vec<u8>> = files().iter().map(|p| std::fs::read(p).unwrap()).collect();
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    for round in 0..rounds {
        let mut bytes = files[round % files.len()].clone();
        mutate(&mut bytes, &mut Noise(round as u64));
        std::fs::write(&path, &bytes).unwrap();
        let start = Instant::now();
        match read_all(&path) {
            Ok(()) => {}
            Err(sentence) => {
                assert!(!sentence.is_empty());
                refused += 1;
            }
        }
        slowest = slowest.max(start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(10), "mutant {round} takes too long");
    }
    assert!(refused > rounds / 20, "{refused} of {rounds}");
    println!("{refused} of {rounds} refused, the slowest in {slowest:?}");
}
