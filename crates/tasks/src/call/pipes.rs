//! What a program reads and writes: its standard input, output and error.
use std::io;
use std::process::Child;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

/// Asked for at a time.
const PIECE: usize = 8 << 10;

/// A program's output is larger than it may be.
#[derive(Debug)]
pub(super) struct Flood;

/// The ends of the three pipes.
pub(super) struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

/// What has been read of them.
#[derive(Default)]
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Tail,
}

/// The end of what has been read.
#[derive(Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Pipes {
    /// Takes the ends of a program.
    pub(super) fn of(child: &mut Child) -> io::Result<Pipes> {
        Ok(Pipes {
            stdin: child.stdin.take().map(ChildStdin::from_std).transpose()?,
            stdout: child.stdout.take().map(ChildStdout::from_std).transpose()?,
            stderr: child.stderr.take().map(ChildStderr::from_std).transpose()?,
        })
    }

    /// Writes the whole input and reads the whole output, side by side.
    pub(super) async fn exchange(
        self,
        input: &[u8],
        output: &mut Output,
        most: (usize, usize),
    ) -> Result<(), Flood> {
        let Output { stdout, stderr } = output;
        let (.., out, ()) = tokio::join!(
            feed(self.stdin, input),
            all(self.stdout, stdout, most.0),
            end(self.stderr, stderr, most.1)
        );
        out
    }
}

/// A program need not read all that it is given.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        drop(stdin.write_all(input).await);
    }
}

async fn all(
    pipe: Option<impl AsyncRead + Unpin>,
    to: &mut Vec<u8>,
    most: usize,
) -> Result<(), Flood> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    loop {
        to.reserve(PIECE);
        match pipe.read_buf(to).await {
            Ok(1..) if to.len() > most => return Err(Flood),
            Ok(1..) => {}
            Ok(0) | Err(_) => return Ok(()),
        }
    }
}

async fn end(pipe: Option<impl AsyncRead + Unpin>, to: &mut Tail, most: usize) {
    let Some(mut pipe) = pipe else { return };
    loop {
        to.bytes.reserve(PIECE);
        match pipe.read_buf(&mut to.bytes).await {
            Ok(1..) if to.bytes.len() > 2 * most => to.cut(most),
            Ok(1..) => {}
            Ok(0) | Err(_) => return to.cut(most),
        }
    }
}

impl Tail {
    fn cut(&mut self, most: usize) {
        let over = self.bytes.len().saturating_sub(most);
        self.cut |= over > 0;
        self.bytes.drain(..over);
    }

    /// As text, of `most` bytes; what is no UTF-8 is replaced. Dots say that more came before.
    pub(super) fn text(mut self, most: usize) -> String {
        self.cut(most);
        let text = String::from_utf8_lossy(&self.bytes);
        match self.cut {
            true => format!("…{}", text.trim_start_matches('\u{fffd}')),
            false => text.into_owned(),
        }
    }
}
