//! Tests of the links: threads play the processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use base::{Failure, FailureKind};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

type Found = Result<Links, Failure>;

fn member(index: usize, processes: usize, secret: &Secret) -> Member {
    Member {
        index,
        processes,
        threads: 2,
        run_id: "run-1".into(),
        plan: [7; 32],
        secret: secret.clone(),
        protocol: PROTOCOL,
    }
}

fn local() -> (TcpListener, String) {
    let (listener, address) = listen("127.0.0.1:0").unwrap();
    (listener, address.to_string())
}

/// The links of a member of a run whose processes listen at these addresses.
fn link(listener: TcpListener, addresses: &[String], me: &Member, deadline: Duration) -> Found {
    let addresses: Vec<Vec<String>> = addresses.iter().map(|at| vec![at.clone()]).collect();
    let wanted = Wanted {
        me,
        purpose: Purpose::Data,
        addresses: &addresses,
        dial: me.index + 1..me.processes,
        answer: 0..me.index,
        deadline,
        stop: &|| None,
    };
    connect(Some(listener), &wanted).map_err(Failure::from)
}

/// Connects members, each in a thread, all at the addresses they listen on.
fn mesh(members: Vec<Member>, deadline: Duration, stranger: impl FnOnce(&str)) -> Vec<Found> {
    let ports: Vec<(TcpListener, String)> = members.iter().map(|_| local()).collect();
    let addresses: Vec<String> = ports.iter().map(|(_, a)| a.clone()).collect();
    stranger(&addresses[1]);
    let threads: Vec<_> = members
        .into_iter()
        .zip(ports)
        .map(|(me, (listener, _))| {
            let addresses = addresses.clone();
            thread::spawn(move || link(listener, &addresses, &me, deadline))
        })
        .collect();
    threads.into_iter().map(|t| t.join().unwrap()).collect()
}

fn messages(links: &[Found]) -> Vec<String> {
    links
        .iter()
        .map(|l| {
            let failure = l.as_ref().unwrap_err();
            assert_eq!(failure.kind, FailureKind::Peer);
            failure.message.clone()
        })
        .collect()
}

#[test]
fn all_are_linked_with_all() {
    let secret = Secret::random().unwrap();
    let members = (0..4).map(|i| member(i, 4, &secret)).collect();
    let mut links: Vec<_> =
        mesh(members, DEADLINE, |_| {}).into_iter().map(Result::unwrap).collect();
    for (i, row) in links.iter_mut().enumerate() {
        for (j, link) in row.iter_mut().enumerate() {
            assert_eq!(link.is_some(), i != j);
            if let Some(link) = link {
                link.write_all(&[(10 * i + j) as u8]).unwrap();
            }
        }
    }
    for (i, row) in links.iter_mut().enumerate() {
        for (j, link) in row.iter_mut().enumerate() {
            let mut byte = [0];
            if let Some(link) = link {
                link.read_exact(&mut byte).unwrap();
                assert_eq!(byte[0] as usize, 10 * j + i);
            }
        }
    }
}

#[test]
fn strangers_are_refused_and_delay_nobody() {
    let secret = Secret::random().unwrap();
    let members = (0..2).map(|i| member(i, 2, &secret)).collect();
    let start = Instant::now();
    let mut guests = Vec::new();
    let links = mesh(members, DEADLINE, |address| {
        let silent = TcpStream::connect(address).unwrap();
        let mut noisy = TcpStream::connect(address).unwrap();
        noisy.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        noisy.write_all(&[0xff; 4096]).unwrap();
        guests.extend([silent, noisy]);
    });
    assert!(links.iter().all(Result::is_ok), "{links:?}");
    assert!(start.elapsed() < Duration::from_secs(1), "took {:?}", start.elapsed());
}

#[test]
fn a_missing_process_is_named() {
    let secret = Secret::random().unwrap();
    let ((listener, address), (_, closed)) = (local(), local());
    let addresses = [closed.clone(), address, closed.clone()];
    let found = link(listener, &addresses, &member(1, 3, &secret), Duration::from_millis(200));
    let message = found.unwrap_err().message;
    assert!(message.contains("within 200ms"), "{message}");
    assert!(message.contains(&format!("process 2 at {closed}")), "{message}");
    assert!(message.contains("process 0 on 127.0.0.1 did not connect"), "{message}");
}

#[test]
fn all_places_of_a_process_are_tried() {
    let secret = Secret::random().unwrap();
    let ((first, here), (second, there)) = (local(), local());
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = stranger.local_addr().unwrap().to_string();
    // Another host may have the address of one, and greets like anything.
    thread::spawn(move || {
        for mut guest in stranger.incoming().flatten() {
            drop(guest.write_all(&[b'x'; 4096]));
        }
    });
    let places = vec!["no such host:1".into(), other, "127.0.0.1:1".into(), there];
    let all = [vec![here], places];
    let dialler = {
        let (me, all) = (member(0, 2, &secret), all.clone());
        thread::spawn(move || {
            let wanted = Wanted {
                me: &me,
                purpose: Purpose::Data,
                addresses: &all,
                dial: 1..2,
                answer: 0..0,
                deadline: DEADLINE,
                stop: &|| None,
            };
            connect(Some(first), &wanted).map(drop).map_err(Failure::from)
        })
    };
    let wanted = Wanted {
        me: &member(1, 2, &secret),
        purpose: Purpose::Data,
        addresses: &all,
        dial: 0..0,
        answer: 0..1,
        deadline: DEADLINE,
        stop: &|| None,
    };
    connect(Some(second), &wanted).unwrap();
    dialler.join().unwrap().unwrap();
}

#[test]
fn a_stranger_who_calls_gets_no_proof() {
    let secret = Secret::random().unwrap();
    let (listener, address) = local();
    let me = member(1, 2, &secret);
    let waits = thread::spawn(move || link(listener, &[], &me, Duration::from_millis(500)));
    let mut guest = TcpStream::connect(address).unwrap();
    let mut hello = [0; 200];
    let got = guest.read(&mut hello).unwrap();
    // Played back: it says that it is somebody, and cannot prove it.
    guest.write_all(&hello[..got]).unwrap();
    guest.write_all(&[7; 32]).unwrap();
    let mut rest = Vec::new();
    drop(guest.read_to_end(&mut rest));
    assert_eq!(rest.len(), 0, "{rest:?}");
    assert!(waits.join().unwrap().is_err());
}

#[test]
fn a_link_of_one_purpose_is_not_taken_for_another() {
    let secret = Secret::random().unwrap();
    let (listener, address) = local();
    let thread = thread::spawn({
        let me = member(0, 2, &secret);
        move || {
            let wanted = Wanted {
                me: &me,
                purpose: Purpose::Control,
                addresses: &[],
                dial: 0..0,
                answer: 1..2,
                deadline: Duration::from_millis(300),
                stop: &|| None,
            };
            connect(Some(listener), &wanted)
        }
    });
    let me = member(1, 2, &secret);
    let wanted = Wanted {
        me: &me,
        purpose: Purpose::Data,
        addresses: &[vec![address]],
        dial: 0..1,
        answer: 0..0,
        deadline: Duration::from_millis(300),
        stop: &|| None,
    };
    assert!(connect(None, &wanted).is_err());
    assert!(thread.join().unwrap().is_err());
}

#[test]
fn a_taken_port_is_said() {
    let (_listener, address) = local();
    let message = listen(&address).unwrap_err().message;
    assert!(message.contains(&address) && message.contains("another run"), "{message}");
}

#[test]
fn another_secret_is_refused() {
    let members = (0..2).map(|i| member(i, 2, &Secret::random().unwrap())).collect();
    let found = messages(&mesh(members, Duration::from_millis(300), |_| {}));
    assert!(found[0].contains("has it the same secret?"), "{found:?}");
    assert!(found[1].contains("does not know the secret"), "{found:?}");
}

#[test]
fn another_plan_version_run_or_shape_ends_at_once() {
    let secret = Secret::random().unwrap();
    type Spoil = fn(&mut Member);
    let spoil: [(Spoil, &str); 4] = [
        (|m| m.plan = [8; 32], "has another plan"),
        (|m| m.protocol = 9, "version"),
        (|m| m.run_id = "run-2".into(), "belongs to another run"),
        (|m| m.threads = 3, "threads"),
    ];
    for (spoil, words) in spoil {
        let mut members: Vec<Member> = (0..2).map(|i| member(i, 2, &secret)).collect();
        spoil(&mut members[1]);
        let start = Instant::now();
        let found = messages(&mesh(members, DEADLINE, |_| {}));
        assert!(start.elapsed() < Duration::from_secs(1));
        assert!(found[0].starts_with("process 1") && found[0].contains(words), "{found:?}");
        assert!(found[1].starts_with("process 0") && found[1].contains(words), "{found:?}");
    }
}

#[test]
fn the_secret_travels_as_text_and_is_never_printed() {
    let secret = Secret::random().unwrap();
    let text = secret.to_hex();
    assert_eq!(Secret::from_hex(&text).unwrap().to_hex(), text);
    assert!(Secret::from_hex("12").is_none());
    assert!(!format!("{secret:?}").contains(&text[..6]));
}
