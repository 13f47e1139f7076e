//! What a reader has asked for of the tiles that come next, where bytes lie elsewhere: a store takes
//! its time to answer, and answers many at once.
use crate::watch::lock;
use formats::Ahead;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Tiles that are looked ahead at most.
pub const TILES: usize = 32;
/// Bytes of them that all readers of a process have asked for and not yet read, about.
const BYTES: u64 = 192 << 20;

/// What the workers of a process have asked for, for one reader.
pub struct Lookahead {
    most: u64,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    tiles: BTreeMap<u64, Ahead>,
    bytes: u64,
}

impl Lookahead {
    /// For one of so many readers.
    pub fn new(readers: usize) -> Lookahead {
        Lookahead { most: BYTES / readers.max(1) as u64, asked: Mutex::default() }
    }

    /// A worker begins a tile, and these come next. What has been asked for of the tile is to be
    /// dropped when it has been read.
    pub fn begin(
        &self,
        number: u64,
        coming: impl IntoIterator<Item = u64>,
        ask: impl Fn(u64) -> Ahead,
    ) -> Ahead {
        let mut asked = lock(&self.asked);
        let own = asked.tiles.remove(&number).unwrap_or_else(|| ask(number));
        asked.bytes = asked.tiles.values().map(Ahead::bytes).sum();
        for number in coming {
            if asked.bytes >= self.most {
                break;
            }
            if !asked.tiles.contains_key(&number) {
                let ahead = ask(number);
                asked.bytes += ahead.bytes();
                asked.tiles.insert(number, ahead);
            }
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn each_tile_is_asked_for_once_and_before_it_is_begun() {
        let (ahead, asked) = (Lookahead::new(1), RefCell::new(Vec::new()));
        let ask = |number| {
            asked.borrow_mut().push(number);
            Ahead::default()
        };
        for number in 0..5u64 {
            ahead.begin(number, number + 1..(number + 3).min(5), ask);
        }
        assert_eq!(*asked.borrow(), [0, 1, 2, 3, 4]);
    }
}
