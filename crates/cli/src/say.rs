//! All that is said. Results go to standard output and must arrive; all else goes to standard
//! error, which may be gone: that is no reason to stop. Nothing in a text steers a terminal.
use base::{Failure, visible_lines};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Prints a result for people, line by line.
///
/// # Errors
/// If it cannot be written. A reader that has gone away wants no more of it: that is none.
pub fn print(text: &str) -> Result<(), Failure> {
    print_as_it_is(&visible_lines(text))
}

/// Prints a result for programs: as it is, but on a terminal.
///
/// # Errors
/// As [`print`].
pub fn print_data(text: &str) -> Result<(), Failure> {
    match stdout().is_terminal() {
        true => print(text),
        false => print_as_it_is(text),
    }
}

fn print_as_it_is(text: &str) -> Result<(), Failure> {
    match text.is_empty() {
        true => Ok(()),
        false => print_through(|out| out.write_all(text.as_bytes())),
    }
}

/// Prints what `write` writes, in which nothing steers a terminal.
///
/// # Errors
/// As [`print`].
pub fn print_through(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, stdout().lock());
    let written = match CLOSED.load(Relaxed) {
        true => Err(io::Error::other("it is closed")),
        false => write(&mut out).and_then(|()| out.flush()),
    };
    // What could not be written is not tried again.
    drop(out.into_parts());
    match written {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(unwritable(&e)),
        _ => Ok(()),
    }
}

fn unwritable(why: &io::Error) -> Failure {
    Failure::output(format!("the results cannot be written to standard output: {why}"))
}

/// Whether the process was started without a standard output. Rust's runtime puts `/dev/null` in
/// its place, which takes all.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks before the runtime does.
#[cfg(target_os = "linux")]
#[used]
// SAFETY: the loader calls the functions in this section once, before `main`; this one asks the
// system about a file descriptor, which needs nothing to be set up.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        let gone = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
        CLOSED.store(gone, Relaxed);
    }
    look
};

/// A line for the user.
pub fn line(text: &str) {
    styled(&format!("{}\n", visible_lines(text)));
}

/// A line that begins with `error:`.
pub fn error(text: &str) {
    styled(&format!("\x1b[1;31merror\x1b[0m: {}\n", visible_lines(text)));
}

/// A line that begins with `warning:`.
pub fn warning(text: &str) {
    styled(&format!("\x1b[1;33mwarning\x1b[0m: {}\n", visible_lines(text)));
}

/// A text whose escapes are our own; they are left out where there is no terminal.
pub fn styled(text: &str) {
    // Whoever does not listen any more misses nothing that counts.
    drop(anstream::stderr().lock().write_all(text.as_bytes()));
}

/// What the command line has to say of itself, coloured on a terminal.
///
/// # Errors
/// As [`print`].
pub fn help(text: &str) -> Result<(), Failure> {
    if CLOSED.load(Relaxed) {
        return Err(unwritable(&io::Error::other("it is closed")));
    }
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(unwritable(&e)),
        _ => Ok(()),
    }
}
