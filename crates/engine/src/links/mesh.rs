//! The mesh: one link between each two processes, or a sentence that says which one is missing.
use super::hello::{Member, Refusal, answered, dialled};
use super::socket::tune;
use base::{Failure, FailureKind};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long all processes have to find each other, unless another time is said.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Time between two looks for new connections, and before the second attempt to dial.
const PAUSE: Duration = Duration::from_millis(5);

/// The longest time between two attempts to dial.
const LONG_PAUSE: Duration = Duration::from_millis(200);

/// So many connections may introduce themselves at once; more are closed unheard.
const MAX_GUESTS: usize = 64;

/// Listens on a free port of this machine only.
///
/// # Errors
/// If the system gives no port.
pub fn listen() -> Result<(TcpListener, SocketAddr), Failure> {
    let bind = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|e: io::Error| {
        Failure::new(FailureKind::Peer, format!("cannot listen on a port of 127.0.0.1: {e}"))
    })
}

/// Opens a link to each other process: entry i leads to process i, the own entry is empty.
/// `addresses[i]` is where process i listens.
///
/// # Errors
/// Of kind [`FailureKind::Peer`], naming the process, if one is missing when `deadline` has
/// passed, or belongs to the run but has another plan, version or shape.
pub fn connect(
    listener: TcpListener,
    addresses: &[SocketAddr],
    me: &Member,
    deadline: Duration,
) -> Result<Vec<Option<TcpStream>>, Failure> {
    let end = Instant::now() + deadline;
    let me = Arc::new(me.clone());
    let over = Over(Arc::new(AtomicBool::new(false)));
    let (send, receive) = channel();
    for (to, address) in addresses.iter().enumerate().take(me.index) {
        let (me, address, over, send) = (me.clone(), *address, over.0.clone(), send.clone());
        thread::spawn(move || dial(&me, to, address, end, &over, &send));
    }
    let (answerer, done) = (me.clone(), over.0.clone());
    thread::spawn(move || answer(&listener, &answerer, &done, &send));
    collect(&receive, addresses, me.index, end)
        .map_err(|missing| missing.into_failure(addresses, deadline))
}

/// Ends the threads that look for peers, however [`connect`] ends.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the threads tell.
enum Event {
    Linked(usize, TcpStream),
    /// Why a process (`None`: whoever dialled) was refused.
    Refused(Option<usize>, String),
    Unfit(Failure),
}

/// What stands in the way of the mesh.
enum Obstacle {
    Unfit(Failure),
    Missing { processes: Vec<usize>, reasons: BTreeMap<Option<usize>, String> },
}

impl Obstacle {
    fn into_failure(self, addresses: &[SocketAddr], deadline: Duration) -> Failure {
        let (processes, reasons) = match self {
            Obstacle::Unfit(failure) => return failure,
            Obstacle::Missing { processes, reasons } => (processes, reasons),
        };
        let names: Vec<String> = processes
            .iter()
            .map(|i| match reasons.get(&Some(*i)) {
                Some(reason) => format!("process {i} at {}: {reason}", addresses[*i]),
                None => format!("process {i} did not connect"),
            })
            .collect();
        let mut message =
            format!("not all processes joined within {deadline:?}: {}", names.join("; "));
        if let Some(reason) = reasons.get(&None) {
            message += &format!("; a connection was refused: {reason}");
        }
        Failure::new(FailureKind::Peer, message)
    }
}

fn collect(
    events: &Receiver<Event>,
    addresses: &[SocketAddr],
    me: usize,
    end: Instant,
) -> Result<Vec<Option<TcpStream>>, Obstacle> {
    let mut links: Vec<Option<TcpStream>> = addresses.iter().map(|_| None).collect();
    let mut reasons = BTreeMap::new();
    loop {
        let missing: Vec<usize> =
            (0..links.len()).filter(|i| *i != me && links[*i].is_none()).collect();
        if missing.is_empty() {
            return Ok(links);
        }
        match events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Event::Linked(peer, stream)) => links[peer] = Some(stream),
            Ok(Event::Refused(peer, reason)) => drop(reasons.insert(peer, reason)),
            Ok(Event::Unfit(failure)) => return Err(Obstacle::Unfit(failure)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(Obstacle::Missing { processes: missing, reasons });
            }
        }
    }
}

/// Dials a process until it answers as it should.
fn dial(
    me: &Member,
    to: usize,
    address: SocketAddr,
    end: Instant,
    over: &AtomicBool,
    send: &Sender<Event>,
) {
    let mut pause = PAUSE;
    while !over.load(Ordering::Relaxed) && Instant::now() < end {
        let left = end.saturating_duration_since(Instant::now()).max(PAUSE);
        let reply = TcpStream::connect_timeout(&address, left)
            .map_err(|e| Refusal::Stranger(e.to_string()))
            .and_then(|mut stream| dialled(&mut stream, me, to).map(|()| stream));
        let linked = reply.is_ok();
        if send.send(event(reply.map(|stream| (to, stream)), Some(to))).is_err() || linked {
            return;
        }
        thread::sleep(pause);
        pause = (2 * pause).min(LONG_PAUSE);
    }
}

/// Answers whoever dials, each in a thread of its own.
fn answer(listener: &TcpListener, me: &Arc<Member>, over: &AtomicBool, send: &Sender<Event>) {
    let guests = Arc::new(AtomicUsize::new(0));
    while !over.load(Ordering::Relaxed) {
        let Ok((mut stream, _)) = listener.accept() else {
            thread::sleep(PAUSE);
            continue;
        };
        if guests.load(Ordering::Relaxed) >= MAX_GUESTS {
            continue;
        }
        guests.fetch_add(1, Ordering::Relaxed);
        let (me, send, guests) = (me.clone(), send.clone(), guests.clone());
        thread::spawn(move || {
            let reply = stream
                .set_nonblocking(false)
                .map_err(|e| Refusal::Stranger(e.to_string()))
                .and_then(|()| answered(&mut stream, &me));
            // Nobody listens any more once the mesh is complete; then the link is closed.
            drop(send.send(event(reply.map(|peer| (peer, stream)), None)));
            guests.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

fn event(reply: Result<(usize, TcpStream), Refusal>, peer: Option<usize>) -> Event {
    match reply {
        Ok((from, stream)) => match tune(&stream) {
            Ok(()) => Event::Linked(from, stream),
            Err(e) => Event::Refused(Some(from), e.to_string()),
        },
        Err(Refusal::Stranger(reason)) => Event::Refused(peer, reason),
        Err(Refusal::Unfit(failure)) => Event::Unfit(failure),
    }
}
