//! Where the launchers of other hosts join the launcher of process 0.
use super::GLANCE;
use super::message::{Order, write_line};
use super::remote::Joined;
use crate::links::{Member, Purpose, Unlinked, Wanted, connect};
use base::Failure;
use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// So long those that are told that there will be no run may take to hear it.
const HEARING: Duration = Duration::from_secs(1);

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
    let places: Vec<Vec<String>> = hosts.iter().map(|host| vec![host.clone()]).collect();
    let wanted = Wanted {
        me,
        purpose: Purpose::Control,
        addresses: &places,
        dial: 0..0,
        answer: 1..me.processes,
        deadline,
        stop,
    };
    let links = connect(Some(listener), &wanted).map_err(|Unlinked { why, links }| {
        tell_end(links.into_iter().flatten().collect(), &why);
        why
    })?;
    let links: Vec<TcpStream> = links.into_iter().skip(1).flatten().collect();
    let left = end.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
    greet_all(&links, left, stop).inspect_err(|why| tell_end(links, why))
}

/// Hears from each who it is: entry i leads to process i + 1.
fn greet_all(
    links: &[TcpStream],
    time: Duration,
    stop: &dyn Fn() -> Option<Failure>,
) -> Result<Vec<Joined>, Failure> {
    let (send, heard) = channel();
    for (i, link) in links.iter().enumerate() {
        let index = i + 1;
        let link = link.try_clone().map_err(|e| Joined::lost(index, &e))?;
        let send = send.clone();
        // Nobody may listen any more, because another one was lost.
        thread::spawn(move || drop(send.send((index, Joined::greet(index, link, time)))));
    }
    drop(send);
    let mut joined = Vec::with_capacity(links.len());
    loop {
        match heard.recv_timeout(GLANCE) {
            Ok((index, one)) => joined.push((index, one?)),
            Err(RecvTimeoutError::Timeout) => stop().map_or(Ok(()), Err)?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    joined.sort_by_key(|(index, _)| *index);
    Ok(joined.into_iter().map(|(_, one)| one).collect())
}

/// Tells launchers that have joined that there will be no run, and why.
pub fn turn_away(joined: Vec<Joined>, why: &Failure) {
    tell_end(joined.into_iter().map(Joined::into_link).collect(), why);
}

/// Tells all, and waits until they have heard it: a link that closes while something is unread in
/// it may take with it what was told last. Whoever has gone by then need not know.
fn tell_end(mut links: Vec<TcpStream>, why: &Failure) {
    for link in &mut links {
        drop(write_line(link, &Order::End(why.clone().into())));
        drop(link.shutdown(Shutdown::Write));
    }
    let end = Instant::now() + HEARING;
    for link in &mut links {
        let mut rest = [0; 4096];
        loop {
            let left = end.saturating_duration_since(Instant::now()).max(GLANCE);
            let heard = link.set_read_timeout(Some(left)).and_then(|()| link.read(&mut rest));
            if !matches!(heard, Ok(1..)) || Instant::now() > end {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::message::Word;
    use super::*;
    use crate::links::{PROTOCOL, Secret, listen};
    use std::io::{BufRead, BufReader};

    fn member(index: usize, secret: &Secret) -> Member {
        let (run_id, secret) = (String::new(), secret.clone());
        Member {
            index,
            processes: 3,
            threads: 0,
            run_id,
            plan: [7; 32],
            secret,
            protocol: PROTOCOL,
        }
    }

    fn join(me: &Member, hub: &str) -> TcpStream {
        let wanted = Wanted {
            me,
            purpose: Purpose::Control,
            addresses: &[vec![hub.into()]],
            dial: 0..1,
            answer: 0..0,
            deadline: Duration::from_secs(5),
            stop: &|| None,
        };
        connect(None, &wanted).unwrap().remove(0).unwrap()
    }

    #[test]
    fn who_has_joined_hears_that_another_was_lost() {
        let secret = Secret::random().unwrap();
        let (listener, hub) = listen("127.0.0.1:0").unwrap();
        let hub = hub.to_string();
        let (one, two) = (member(1, &secret), member(2, &secret));
        let (to, at) = (hub.clone(), hub);
        let stays = thread::spawn(move || {
            let mut link = join(&one, &to);
            let word = Word::Joined { host: "b".into(), cores: 1 };
            write_line(&mut link, &word).unwrap();
            // Said before the end is known: it must not take the end with it.
            write_line(&mut link, &word).unwrap();
            BufReader::new(link).lines().next().unwrap().unwrap()
        });
        let goes = thread::spawn(move || drop(join(&two, &at)));
        let none = || None;
        let left = Duration::from_secs(5);
        let why = gather(listener, &member(0, &secret), &[], left, &none).err().unwrap();
        assert!(why.message.contains("process 2 joined and was lost"), "{why}");
        let Order::End(heard) = serde_json::from_str(&stays.join().unwrap()).unwrap() else {
            unreachable!("it heard something else")
        };
        assert_eq!(Failure::from(heard), why);
        goes.join().unwrap();
    }
}
