//! Where the launchers of other hosts join the launcher of process 0.
use super::message::{Order, write_line};
use super::remote::Joined;
use crate::links::{Member, Purpose, Unlinked, Wanted, connect};
use base::Failure;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Waits until the launchers of all other processes have joined, in their order. `hosts` are the
/// names of the hosts as far as they are known, for whoever does not come.
///
/// # Errors
/// If one is missing when the deadline has passed, or was started otherwise than this one; what
/// `stop` says. Those that have joined are told.
pub fn gather(
    listener: TcpListener,
    me: &Member,
    hosts: &[String],
    deadline: Duration,
    stop: &dyn Fn() -> Option<Failure>,
) -> Result<Vec<Joined>, Failure> {
    let end = Instant::now() + deadline;
    let wanted = Wanted {
        me,
        purpose: Purpose::Control,
        addresses: hosts,
        dial: 0..0,
        answer: 1..me.processes,
        deadline,
        stop,
    };
    let links = connect(Some(listener), &wanted).map_err(|Unlinked { why, links }| {
        links.into_iter().flatten().for_each(|mut link| tell_end(&mut link, &why));
        why
    })?;
    let left = end.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
    let joined = links.into_iter().enumerate().skip(1).flat_map(|(i, l)| l.map(|l| (i, l)));
    joined.map(|(i, link)| Joined::greet(i, link, left)).collect()
}

/// Tells launchers that have joined that there will be no run, and why.
pub fn turn_away(joined: Vec<Joined>, why: &Failure) {
    joined.into_iter().for_each(|mut joined| tell_end(joined.link(), why));
}

/// Whoever has gone by then need not know.
fn tell_end(link: &mut TcpStream, why: &Failure) {
    drop(write_line(link, &Order::End(why.clone().into())));
}
