//! The warden itself: waits for the end of the process that has begun it, and then ends what is left.
use super::messages::Charges;
use super::scan::{living, marked};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use std::env;
use std::fs;
use std::io::{self, Read};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Messages are read so often, and not at once, so that they cost nothing.
const PAUSE: Duration = Duration::from_millis(50);

/// How long programs have to end by themselves.
const GRACE: Duration = Duration::from_millis(150);

/// Between two looks at what is left.
const LOOK: Duration = Duration::from_millis(20);

/// So many looks have to find nothing: a program may have been about to start.
const CLEAN: usize = 10;

/// What has not gone by then waits for the system, and goes when it returns to the program.
const LONGEST: Duration = Duration::from_secs(10);

/// What the warden does, until it is done.
pub fn main() {
    stand_apart();
    let mut charges = Charges::default();
    let mut come = Vec::new();
    let mut piece = [0; 1 << 16];
    let mut pipe = io::stdin().lock();
    loop {
        match pipe.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => come.extend_from_slice(&piece[..count]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        charges.read(&mut come);
        sleep(PAUSE);
    }
    end(&mut charges);
    for path in &charges.staged {
        let folder = path.symlink_metadata().is_ok_and(|m| m.is_dir());
        drop(if folder { fs::remove_dir_all(path) } else { fs::remove_file(path) });
    }
}

/// Nothing that ends others ends it, and it keeps nothing of others but its pipe.
fn stand_apart() {
    // A folder that cannot be left stays in use a little longer.
    drop(env::set_current_dir("/"));
    let ignored =
        [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGXCPU];
    for signal in ignored {
        // SAFETY: no handler runs, and this thread is the only one.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    #[cfg(target_os = "linux")]
    // SAFETY: nothing here owns a descriptor but the first three.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
    }
}

/// Ends groups and marked processes until nothing is left.
fn end(charges: &mut Charges) {
    let begun = Instant::now();
    let mut clean = 0;
    while clean < CLEAN && begun.elapsed() < LONGEST {
        let signal = if begun.elapsed() < GRACE { Signal::TERM } else { Signal::KILL };
        charges.groups.retain(|group| {
            let Some(group) = Pid::from_raw(*group) else { return false };
            // One that is gone has no use for it.
            let _ = kill_process_group(group, signal);
            test_kill_process_group(group).is_ok()
        });
        // What is dead and not yet taken note of by its parent, which may never do so, is gone.
        if let Some(living) = living() {
            charges.groups.retain(|group| living.contains(group));
        }
        let found = marked(&charges.identity);
        for process in &found {
            let _ = kill_process(*process, signal);
        }
        clean = if found.is_empty() && charges.groups.is_empty() { clean + 1 } else { 0 };
        sleep(LOOK);
    }
}
