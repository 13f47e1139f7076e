//! The tiles that no process has yet, in the launcher.
use super::{Ask, Deal, Shape, Stack};
use plan::physical::Physical;
use std::sync::Arc;

/// Deals the tiles of all `Read`s of a plan.
pub struct Dealer {
    shape: Shape,
    rests: Vec<Option<Rest>>,
}

/// What is left of a `Read`'s tiles.
struct Rest {
    stack: Stack,
    /// The lowest number that nobody has.
    next: u64,
    /// Tiles a second of each process, once it has asked.
    rates: Vec<Option<f64>>,
}

impl Dealer {
    /// With all that is not dealt at once.
    /// Of each `Read` only the tiles that are `left`, where some are done.
    pub fn new(
        physical: &Physical,
        left: &[Option<Arc<Vec<u64>>>],
        processes: usize,
        threads: usize,
    ) -> Dealer {
        let shape = Shape { processes: processes.max(1) as u64, threads: threads.max(1) as u64 };
        Dealer::of(super::stacks(&physical.nodes, left), shape)
    }

    pub(crate) fn of(stacks: Vec<Option<Stack>>, shape: Shape) -> Dealer {
        let rates = vec![None; shape.processes as usize];
        let rest =
            |stack: Stack| Rest { stack, next: stack.dealt_at_once(shape), rates: rates.clone() };
        Dealer { shape, rests: stacks.into_iter().map(|s| s.map(rest)).collect() }
    }

    /// The tiles of all `Read`s, dealt or not.
    pub fn tiles(&self) -> u64 {
        self.rests.iter().flatten().map(|rest| rest.stack.tiles).sum()
    }

    /// What a process gets.
    pub fn deal(&mut self, process: usize, ask: &Ask) -> Deal {
        let read = ask.read;
        let Some(rest) = self.rests.get_mut(read).and_then(Option::as_mut) else {
            return Deal { read, first: 0, end: 0, last: true };
        };
        let left = rest.stack.tiles - rest.next;
        let part = match rest.stack.in_order {
            // No more than what it takes while it waits, lest others wait for what it has.
            true => self.shape.threads + ask.pace.min(self.shape.threads),
            false => {
                let part = left as f64 * rest.weight(process, ask.rate) / 2.0;
                (part as u64).max(ask.pace.div_ceil(2)).max(1)
            }
        };
        let first = rest.next;
        rest.next += part.min(left);
        Deal { read, first, end: rest.next, last: rest.next == rest.stack.tiles }
    }
}

impl Rest {
    /// The part of all speed that a process has; those of which nothing is known count as fast as
    /// it.
    fn weight(&mut self, process: usize, rate: f64) -> f64 {
        if !(rate > 0.0 && rate.is_finite()) {
            return 1.0 / self.rates.len() as f64;
        }
        if let Some(known) = self.rates.get_mut(process) {
            *known = Some(rate);
        }
        rate / self.rates.iter().map(|known| known.unwrap_or(rate)).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Shape = Shape { processes: 2, threads: 1 };

    fn dealer(tiles: u64, in_order: bool) -> Dealer {
        Dealer::of(vec![None, Some(Stack { tiles, in_order })], TWO)
    }

    fn ask(rate: f64) -> Ask {
        Ask { read: 1, rate, pace: 0 }
    }

    #[test]
    fn parts_follow_speed_and_shrink() {
        let mut dealer = dealer(1000, false);
        let sizes: Vec<u64> =
            (0..4).map(|_| dealer.deal(0, &ask(40.0))).map(|deal| deal.end - deal.first).collect();
        assert_eq!(sizes, [219, 164, 123, 92]);
        let deal = dealer.deal(1, &ask(10.0));
        assert_eq!((deal.first, deal.end), (722, 749));
        assert_eq!(dealer.tiles(), 1000);
    }

    #[test]
    fn each_number_is_dealt_once_and_the_last_deal_says_so() {
        for in_order in [false, true] {
            let mut dealer = dealer(500, in_order);
            let mut next = if in_order { 2 } else { 62 };
            loop {
                let deal = dealer.deal((next % 2) as usize, &ask(1.0));
                assert_eq!(deal.first, next);
                next = deal.end;
                if deal.last {
                    break;
                }
            }
            assert_eq!(next, 500);
            let none = dealer.deal(0, &ask(1.0));
            assert!(none.last && none.first == none.end);
        }
    }

    #[test]
    fn a_read_that_is_none_has_no_tiles() {
        assert!(dealer(5, false).deal(0, &Ask { read: 7, rate: 0.0, pace: 9 }).last);
    }
}
