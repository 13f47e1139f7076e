//! What workers send each other to join: tiles of two dimensions, whose second one says nothing,
//! so that they can be told from the left's own tiles, which are rows.
use arrow_array::ArrayRef;
use base::{Failure, Tile};

/// The number of what is about no tile.
const NO_TILE: u64 = u64::MAX;

/// A message.
pub enum Message {
    /// Keys of rows of a tile, and which rows they are (all, if that is not said).
    Question {
        /// The tile.
        tile: u64,
        /// The worker that has it, and wants to know.
        asker: usize,
        /// How many questions there are about the tile.
        questions: u64,
        /// The keys, then maybe the rows, as uint32.
        columns: Vec<ArrayRef>,
    },
    /// The answer to a question: the rows of the tile that match, as uint32, as often as they do,
    /// and beside them columns of the right.
    Answer {
        /// The tile.
        tile: u64,
        /// How many answers there are about the tile.
        answers: u64,
        /// The rows, then the columns.
        columns: Vec<ArrayRef>,
    },
    /// Answers of a worker that answers late, about rows of many tiles.
    Answers {
        /// The tiles (uint64), their rows, then the columns.
        columns: Vec<ArrayRef>,
    },
    /// How many rows one key has at most, of those that one worker has.
    Most(u64),
    /// A worker's rows are in files: it answers when all has been asked, and then says `Most`.
    Late,
}

impl Message {
    /// The message as a tile.
    pub fn tile(self) -> Tile {
        let (number, origin, columns) = match self {
            Message::Question { tile, asker, questions, columns } => {
                (tile, [asker as u64 + 1, questions], columns)
            }
            Message::Answer { tile, answers, columns } => (tile, [0, answers], columns),
            Message::Answers { columns } => (NO_TILE, [0, 0], columns),
            Message::Most(most) => (NO_TILE, [1, most], Vec::new()),
            Message::Late => (NO_TILE, [2, 0], Vec::new()),
        };
        let rows = columns.first().map_or(0, |c| c.len());
        let columns = columns.into_iter().map(Into::into).collect();
        Tile { number, origin: origin.to_vec(), shape: vec![rows, 1], columns, index: None }
    }

    /// What a tile says; the tile itself if it is no message.
    ///
    /// # Errors
    /// If it is something else.
    pub fn read(tile: Tile) -> Result<Result<Message, Tile>, Failure> {
        let (number, columns) = (tile.number, &tile.columns);
        let columns = || columns.iter().map(|c| c.array.clone()).collect();
        Ok(Ok(match (&tile.origin[..], tile.shape.len()) {
            (_, 1) => return Ok(Err(tile)),
            ([0, _], 2) if number == NO_TILE => Message::Answers { columns: columns() },
            ([1, most], 2) if number == NO_TILE => Message::Most(*most),
            ([2, _], 2) if number == NO_TILE => Message::Late,
            ([0, answers], 2) => {
                Message::Answer { tile: number, answers: *answers, columns: columns() }
            }
            ([asker, questions], 2) => Message::Question {
                tile: number,
                asker: *asker as usize - 1,
                questions: *questions,
                columns: columns(),
            },
            _ => return Err(Failure::internal("a join got a tile that it does not understand")),
        }))
    }
}
