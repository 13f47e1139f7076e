//! Rows in groups of a file (row groups, batches): where they begin, and how tiles are cut.
use crate::FilePlace;
use base::Region;

/// The rows at the edges of groups of these sizes: 0, …, the number of all rows; `None` if they
/// are too many.
pub(crate) fn edges(rows: impl IntoIterator<Item = u64>) -> Option<Vec<u64>> {
    let mut edges = vec![0u64];
    for rows in rows {
        let last = edges.last().copied().unwrap_or(0);
        edges.push(last.checked_add(rows).filter(|n| *n < 1 << 63)?);
    }
    Some(edges)
}

/// The groups that rows `start..end` touch: (group, rows to leave out before, rows to take).
pub(crate) fn pieces(edges: &[u64], start: u64, end: u64) -> Vec<(usize, usize, usize)> {
    let first = edges.partition_point(|e| *e <= start).saturating_sub(1);
    let groups = edges.windows(2).enumerate().skip(first).take_while(|(_, e)| e[0] < end);
    let piece = |(i, e): (usize, &[u64])| {
        let (low, high) = (e[0].max(start), e[1].min(end));
        (i, (low - e[0]) as usize, high.saturating_sub(low) as usize)
    };
    groups.map(piece).filter(|(_, _, take)| *take > 0).collect()
}

/// Cuts at edges: small groups together, large ones evenly into pieces of at most `points`.
pub(crate) fn cuts(edges: &[u64], points: u64) -> Vec<u64> {
    let points = points.max(1);
    let mut cuts = vec![0u64];
    let mut start = 0;
    for pair in edges.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        if high - start <= points {
            continue;
        }
        if low > start {
            cuts.push(low);
        }
        start = low;
        let pieces = (high - low).div_ceil(points);
        if pieces > 1 {
            let at = |i| low + ((high - low) as u128 * i as u128 / pieces as u128) as u64;
            cuts.extend((1..=pieces).map(at));
            start = high;
        }
    }
    let end = edges.last().copied().unwrap_or(0);
    if end > start {
        cuts.push(end);
    }
    cuts
}

/// As [`cuts`], and at the first row of each file; `firsts` are these, and the number of all rows.
pub(crate) fn cuts_by_file(edges: &[u64], firsts: &[u64], points: u64) -> Vec<u64> {
    let mut all = vec![0u64];
    for file in firsts.windows(2) {
        let inside = edges.iter().filter(|e| (file[0]..=file[1]).contains(*e));
        let inside: Vec<u64> = inside.map(|e| e - file[0]).collect();
        all.extend(cuts(&inside, points).into_iter().map(|cut| cut + file[0]));
    }
    all.dedup();
    all
}

/// Where a region of rows lies: in which files, and where there.
pub(crate) fn file_places(firsts: &[u64], region: &Region) -> Vec<FilePlace> {
    let (start, rows) = (region.origin[0], region.shape[0] as u64);
    let place = |(file, skip, take)| FilePlace {
        file,
        region: Region { origin: vec![skip as u64], shape: vec![take] },
    };
    pieces(firsts, start, start + rows).into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::{cuts, cuts_by_file, file_places, pieces};
    use crate::FilePlace;
    use base::Region;

    #[test]
    fn files_keep_to_themselves() {
        let edges = [0, 4, 8, 12, 12, 40];
        assert_eq!(cuts_by_file(&edges, &[0, 4, 12, 12, 40], 10), [0, 4, 12, 21, 30, 40]);
        assert_eq!(cuts_by_file(&[0], &[0], 10), [0]);
        let region = Region { origin: vec![3], shape: vec![6] };
        let place = |file, first, rows| FilePlace {
            file,
            region: Region { origin: vec![first], shape: vec![rows] },
        };
        assert_eq!(file_places(&[0, 4, 12], &region), [place(0, 3, 1), place(1, 0, 5)]);
    }

    #[test]
    fn small_groups_go_together_and_large_ones_are_cut() {
        assert_eq!(cuts(&[0], 10), [0]);
        assert_eq!(cuts(&[0, 4, 8, 12], 8), [0, 8, 12]);
        assert_eq!(cuts(&[0, 4, 29, 32], 10), [0, 4, 12, 20, 29, 32]);
        assert_eq!(cuts(&[0, 0, 3, 3, 6], 1), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn rows_lie_in_pieces_of_groups() {
        assert_eq!(pieces(&[0, 4, 4, 9], 2, 6), [(0, 2, 2), (2, 0, 2)]);
        assert_eq!(pieces(&[0, 4, 4, 9], 4, 4), []);
        assert_eq!(pieces(&[0], 0, 0), []);
    }
}
