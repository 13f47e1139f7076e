//! Files whose states a ledger has together: none of them can be taken back alone.
use super::piece::PieceId;
use std::collections::HashSet;

/// Disjoint sets of files.
#[derive(Debug, Default)]
pub struct Groups(Vec<HashSet<PieceId>>);

impl Groups {
    /// Adds a set; all that it has members of become one with it.
    pub fn add(&mut self, mut ids: HashSet<PieceId>) {
        for other in self.0.extract_if(.., |other| !other.is_disjoint(&ids)).collect::<Vec<_>>() {
            ids.extend(other);
        }
        self.0.push(ids);
    }

    /// The members of all sets that have one of these, these included.
    pub fn with(&self, ids: &HashSet<PieceId>) -> HashSet<PieceId> {
        self.0.iter().filter(|set| !set.is_disjoint(ids)).flatten().cloned().collect()
    }

    /// Ends the sets that have one of these; their members.
    pub fn dissolve(&mut self, ids: &HashSet<PieceId>) -> HashSet<PieceId> {
        self.0.extract_if(.., |set| !set.is_disjoint(ids)).flatten().collect()
    }

    /// Adds sets, which have no members that are here.
    pub fn append(&mut self, mut others: Groups) {
        self.0.append(&mut others.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn ids(paths: &[&str]) -> HashSet<PieceId> {
        paths.iter().map(|path| PieceId { read: 0, path: PathBuf::from(path) }).collect()
    }

    #[test]
    fn sets_that_overlap_are_one() {
        let mut groups = Groups::default();
        groups.add(ids(&["a", "b"]));
        groups.add(ids(&["c", "d"]));
        groups.add(ids(&["e", "f"]));
        groups.add(ids(&["b", "c"]));
        assert_eq!(groups.with(&ids(&["a"])), ids(&["a", "b", "c", "d"]));
        assert_eq!(groups.with(&ids(&["x"])), ids(&[]));
        assert_eq!(groups.dissolve(&ids(&["d", "x"])), ids(&["a", "b", "c", "d"]));
        assert_eq!(groups.with(&ids(&["a", "f"])), ids(&["e", "f"]));
    }
}
