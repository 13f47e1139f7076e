//! `Write`: gives tiles to a format's writer, in any order or by ascending number, less those that
//! an earlier run has written.
use super::{Context, Out, Stage};
use crate::dataflow::TILE;
use crate::ledger::Written;
use crate::options::Place;
use crate::parcel::Parcel;
use crate::watch::Watch;
use base::Failure;
use formats::{Arrangement, Sink, TileWriter};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// One worker's part of an output.
pub struct Write {
    sink: Arc<dyn Sink>,
    writer: Option<Box<dyn TileWriter>>,
    waiting: Option<Waiting>,
    /// What is noted of it, if it is.
    written: Option<Written>,
    place: Place,
    watch: Arc<Watch>,
}

impl Write {
    /// For one worker; opens nothing before the first tile.
    pub fn new(sink: Arc<dyn Sink>, cx: &Context, written: Option<Written>) -> Write {
        let ordered = sink.arrangement() == Arrangement::InOrder;
        let first = written.as_ref().map_or(0, Written::first);
        let waiting = ordered.then(|| Waiting::new(first, cx.place.workers));
        Write { sink, writer: None, waiting, written, place: cx.place, watch: cx.watch.clone() }
    }

    fn write(&mut self, parcel: Parcel) -> Result<(), Failure> {
        let number = parcel.tile.number;
        let place = |f: Failure| f.context(format!("{TILE}{number}"));
        let writer = self.writer()?;
        writer.write(&parcel.tile).map_err(place)?;
        let piece = writer.piece();
        self.watch.wrote(parcel.tile.bytes() as u64);
        if let Some(written) = &mut self.written {
            written.wrote(number, piece);
        }
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut Box<dyn TileWriter>, Failure> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let mut writer = self.sink.writer()?;
                if self.written.is_some() {
                    writer.sum();
                }
                writer
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn write_due(&mut self) -> Result<(), Failure> {
        while let Some(parcel) = self.waiting.as_mut().and_then(Waiting::due) {
            self.write(parcel)?;
        }
        Ok(())
    }
}

impl Stage for Write {
    fn tile(&mut self, _input: usize, parcel: Parcel, _out: Out) -> Result<(), Failure> {
        let alone = self.sink.arrangement() != Arrangement::Anywhere;
        if alone && self.place.worker != 0 {
            return Err(Failure::internal("a tile came to a worker that must not write"));
        }
        if self.written.as_ref().is_some_and(|written| written.has(parcel.tile.number)) {
            return Ok(());
        }
        match &mut self.waiting {
            None => self.write(parcel),
            Some(waiting) => {
                waiting.push(parcel);
                self.write_due()
            }
        }
    }

    fn closed(&mut self, _in: usize, numbers: Range<u64>, _out: Out) -> Result<(), Failure> {
        if let Some(waiting) = &mut self.waiting {
            waiting.close(numbers);
        }
        self.write_due()
    }

    fn finish(&mut self, _out: Out) -> Result<(), Failure> {
        if let Some(mut waiting) = self.waiting.take() {
            while let Some((_, parcel)) = waiting.tiles.pop_first() {
                self.write(parcel)?;
            }
        }
        // One file has its header even if no tile came.
        if self.sink.arrangement() != Arrangement::Anywhere && self.place.worker == 0 {
            self.writer()?;
        }
        self.drained()
    }

    /// Tiles that wait for a turn that will not come are dropped.
    fn drained(&mut self) -> Result<(), Failure> {
        if let Some(written) = &mut self.written {
            written.note();
        }
        self.writer.take().map_or(Ok(()), |mut writer| writer.finish())
    }
}

/// Tiles that came before their turn. They keep their credits: the lowest number that is not yet
/// here can always be handed out, for all that were handed out before it have been written.
struct Waiting {
    next: u64,
    tiles: BTreeMap<u64, Parcel>,
    workers: usize,
    closed: HashMap<Range<u64>, usize>,
}

impl Waiting {
    /// For tiles from this number on.
    fn new(first: u64, workers: usize) -> Waiting {
        Waiting { next: first, tiles: BTreeMap::new(), workers, closed: HashMap::new() }
    }

    fn push(&mut self, parcel: Parcel) {
        self.tiles.insert(parcel.tile.number, parcel);
    }

    fn close(&mut self, numbers: Range<u64>) {
        *self.closed.entry(numbers).or_default() += 1;
    }

    /// The tile whose turn it is, if it is here.
    fn due(&mut self) -> Option<Parcel> {
        loop {
            let first = self.tiles.first_key_value().map(|(number, _)| *number)?;
            if first <= self.next {
                self.next = first + 1;
                return self.tiles.pop_first().map(|(_, parcel)| parcel);
            }
            // Skips numbers that no worker will send.
            let end = (self.closed.iter())
                .filter(|(range, count)| range.contains(&self.next) && **count >= self.workers)
                .map(|(range, _)| range.end)
                .max()?;
            self.next = end.min(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Tile;

    fn parcel(number: u64) -> Parcel {
        let tile = Tile { number, origin: vec![], shape: vec![], columns: vec![], index: None };
        Parcel::free(tile)
    }

    fn due(waiting: &mut Waiting) -> Vec<u64> {
        std::iter::from_fn(|| waiting.due().map(|p| p.tile.number)).collect()
    }

    #[test]
    fn tiles_wait_for_their_turn() {
        let mut waiting = Waiting::new(0, 1);
        waiting.push(parcel(1));
        assert!(due(&mut waiting).is_empty());
        waiting.push(parcel(0));
        assert_eq!(due(&mut waiting), [0, 1]);
    }

    #[test]
    fn what_an_earlier_run_has_written_is_not_waited_for() {
        let mut waiting = Waiting::new(5, 1);
        waiting.push(parcel(6));
        assert!(due(&mut waiting).is_empty());
        waiting.push(parcel(5));
        assert_eq!(due(&mut waiting), [5, 6]);
    }

    #[test]
    fn gaps_are_skipped_once_all_workers_have_closed_them() {
        let mut waiting = Waiting::new(0, 2);
        waiting.push(parcel(10));
        waiting.push(parcel(0));
        assert_eq!(due(&mut waiting), [0]);
        waiting.close(0..10);
        assert!(due(&mut waiting).is_empty());
        waiting.close(0..10);
        assert_eq!(due(&mut waiting), [10]);
        waiting.push(parcel(12));
        waiting.close(10..u64::MAX);
        waiting.push(parcel(11));
        assert_eq!(due(&mut waiting), [11, 12]);
    }
}
