//! The end of what a program wrote to its standard error.

/// So much of it is kept.
const KEPT: usize = 64 << 10;
/// So much of that is shown.
const SHOWN: usize = 6 << 10;

/// What a program wrote to its standard error: the end of it, and how much it was.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
    lines: u64,
    all: u64,
}

impl Tail {
    /// More has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.all += bytes.len() as u64;
        self.lines += bytes.iter().filter(|b| **b == b'\n').count() as u64;
        self.bytes.extend_from_slice(&bytes[bytes.len().saturating_sub(KEPT)..]);
        if self.bytes.len() > 2 * KEPT {
            self.bytes.drain(..self.bytes.len() - KEPT);
        }
    }

    /// How many lines there were.
    pub fn lines(&self) -> u64 {
        let open = self.bytes.last().is_some_and(|last| *last != b'\n');
        self.lines + u64::from(open)
    }

    /// The last line that is not empty.
    pub fn last(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        line.unwrap_or_default().chars().take(200).collect()
    }

    /// Its end, in whole lines where they are not too long; empty if nothing came.
    pub fn end(&self) -> String {
        let from = self.bytes.len().saturating_sub(SHOWN);
        let line = self.bytes[from..].iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
        let from = if from > 0 && from + line < self.bytes.len() { from + line } else { from };
        let text = String::from_utf8_lossy(&self.bytes[from..]).trim_end().to_owned();
        match self.all - (self.bytes.len() - from) as u64 {
            0 => text,
            cut => format!("[{cut} bytes before]\n{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_what_is_cut_is_counted() {
        let mut tail = Tail::default();
        assert_eq!((tail.lines(), tail.end().as_str(), tail.last().as_str()), (0, "", ""));
        tail.push(b"one\ntw");
        tail.push(b"o");
        assert_eq!((tail.lines(), tail.end().as_str()), (2, "one\ntwo"));
        for i in 0..100_000 {
            tail.push(format!("line {i}\n").as_bytes());
        }
        assert!(tail.bytes.len() <= 2 * KEPT);
        assert_eq!(tail.lines(), 100_001);
        let end = tail.end();
        assert!(end.len() < SHOWN + 40 && end.ends_with("line 99999"), "{end}");
        let (cut, rest) = end.split_once('\n').unwrap_or_default();
        assert!(cut.ends_with(" bytes before]") && rest.starts_with("line "), "{cut}");
        assert_eq!(tail.last(), "line 99999");
    }
}
