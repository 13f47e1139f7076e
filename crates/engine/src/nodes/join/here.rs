//! `Join`: all of the right side is in this worker.
use super::beside::beside;
use super::columns;
use super::table::{Right, Table};
use crate::nodes::{Out, Stage, to_rows};
use crate::parcel::{Item, Parcel};
use base::Failure;
use plan::physical;
use std::ops::Range;

/// Passes the left's tiles on, each with its matches, when the right has ended.
pub struct Join {
    plan: physical::Join,
    right: Option<Right>,
    table: Option<Table>,
    waiting: Vec<Item>,
    free: bool,
}

impl Join {
    /// For one worker. With `free`, tiles that wait give up their credits.
    pub fn new(plan: &physical::Join, free: bool) -> Join {
        let right = Some(Right::new(plan, None));
        Join { plan: plan.clone(), right, table: None, waiting: Vec::new(), free }
    }

    fn pass(&mut self, item: Item, out: Out) -> Result<(), Failure> {
        let (Some(table), Item::Tile(parcel)) = (&self.table, item) else {
            return Err(Failure::internal("a join began before its right side had ended"));
        };
        let Parcel { tile, credit } = parcel;
        let tile = to_rows(tile)?;
        let keys = columns(&tile, &self.plan.keys)?;
        let matches = table.matches(&keys, tile.points(), self.plan.how)?;
        let pick = |column: &usize| table.pick(*column, &matches.right);
        let right = self.plan.right.iter().map(pick).collect::<Result<_, Failure>>()?;
        let tile = beside(&self.plan, &tile, matches.left, right, self.plan.most(table.most()))?;
        out(Item::Tile(Parcel { tile, credit }));
        Ok(())
    }
}

impl Stage for Join {
    fn tile(&mut self, input: usize, parcel: Parcel, out: Out) -> Result<(), Failure> {
        match (input, &mut self.right) {
            (1, Some(right)) => right.push(parcel.tile),
            (0, Some(_)) => {
                let credit = parcel.credit.filter(|_| !self.free);
                self.waiting.push(Item::Tile(Parcel { credit, ..parcel }));
                Ok(())
            }
            _ => self.pass(Item::Tile(parcel), out),
        }
    }

    fn closed(&mut self, input: usize, numbers: Range<u64>, out: Out) -> Result<(), Failure> {
        match (input, &self.right) {
            (0, Some(_)) => self.waiting.push(Item::Closed(numbers)),
            (0, None) => out(Item::Closed(numbers)),
            _ => {}
        }
        Ok(())
    }

    fn input_ends(&mut self, input: usize, out: Out) -> Result<(), Failure> {
        if let Some(right) = self.right.take_if(|_| input == 1) {
            self.table = Some(right.table()?);
            for item in std::mem::take(&mut self.waiting) {
                match item {
                    Item::Tile(_) => self.pass(item, out)?,
                    other => out(other),
                }
            }
        }
        Ok(())
    }
}
