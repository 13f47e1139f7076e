//! The links of one process: to those it dials and from those that dial it, or a sentence that
//! says which one is missing.
use super::hello::{Member, Purpose, Refusal, answered, dialled};
use super::socket::tune;
use base::{Failure, FailureKind};
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::ops::Range;
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

/// So long one of several places where a process may be has to take a connection.
const ATTEMPT: Duration = Duration::from_secs(2);

/// So long process 0 waits, once it knows that there will be no run, for others that are on their
/// way, to tell them why.
const FAREWELL: Duration = Duration::from_secs(2);

/// So many connections may introduce themselves at once; more are closed unheard.
const MAX_GUESTS: usize = 64;

/// Listens at an address, `host:port`; port 0 stands for any that is free.
///
/// # Errors
/// If the address is not one of this machine, or the port is taken.
pub fn listen(at: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let bind = || {
        let listener = TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|e: io::Error| {
        let help = match e.kind() {
            io::ErrorKind::AddrInUse => " (is another run using it?)",
            _ => "",
        };
        Failure::new(FailureKind::Peer, format!("cannot listen at {at}: {e}{help}"))
    })
}

/// What one process's links are to be.
pub struct Wanted<'a> {
    /// Who this process is.
    pub me: &'a Member,
    /// What the links are for.
    pub purpose: Purpose,
    /// Where each process may be reached, `host:port` each, the best first; only those that are
    /// dialled are looked at.
    pub addresses: &'a [Vec<String>],
    /// The processes that are dialled.
    pub dial: Range<usize>,
    /// The processes that dial this one.
    pub answer: Range<usize>,
    /// How long it may take.
    pub deadline: Duration,
    /// Asked often whether to give up before.
    pub stop: &'a dyn Fn() -> Option<Failure>,
}

/// Entry i leads to process i; those that were not wanted are empty.
pub type Links = Vec<Option<TcpStream>>;

/// Why links were not opened, and those that were.
#[derive(Debug)]
pub struct Unlinked {
    /// Of kind [`FailureKind::Peer`], unless `stop` said otherwise.
    pub why: Failure,
    /// They close with this value.
    pub links: Links,
}

impl From<Unlinked> for Failure {
    fn from(unlinked: Unlinked) -> Failure {
        unlinked.why
    }
}

/// Opens all links.
///
/// # Errors
/// Naming the process, if one is missing when the deadline has passed, or belongs to the run but
/// has another plan, version or shape; what `stop` says.
pub fn connect(listener: Option<TcpListener>, wanted: &Wanted) -> Result<Links, Unlinked> {
    let end = Instant::now() + wanted.deadline;
    let me = Arc::new(wanted.me.clone());
    let over = Over(Arc::new(AtomicBool::new(false)));
    let (send, receive) = channel();
    let purpose = wanted.purpose;
    for to in wanted.dial.clone() {
        let call = Call { to, places: wanted.addresses[to].clone(), purpose, end };
        let (me, over, send) = (me.clone(), over.0.clone(), send.clone());
        thread::spawn(move || dial(&me, &call, &over, &send));
    }
    if let Some(listener) = listener {
        let (me, over, answer) = (me.clone(), over.0.clone(), wanted.answer.clone());
        thread::spawn(move || answer_all(&listener, &me, purpose, &answer, &over, &send));
    }
    let mut links: Links = (0..wanted.me.processes).map(|_| None).collect();
    match collect(&receive, &mut links, wanted, end) {
        Ok(()) => Ok(links),
        Err(why) => {
            drop(over);
            if purpose == Purpose::Control && !wanted.answer.is_empty() {
                catch_up(&receive, &mut links);
            }
            Err(Unlinked { why, links })
        }
    }
}

/// Whoever was shaking hands when this process gave up takes itself for linked: it is to be told too.
fn catch_up(events: &Receiver<Event>, links: &mut Links) {
    let end = Instant::now() + LONG_PAUSE;
    while let Ok(event) = events.recv_timeout(end.saturating_duration_since(Instant::now())) {
        if let Event::Linked(peer, stream) = event {
            links[peer] = Some(stream);
        }
    }
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
    /// Nobody answered where this process should be.
    Unreached(usize, String),
    Unfit(Failure),
}

fn collect(
    events: &Receiver<Event>,
    links: &mut Links,
    wanted: &Wanted,
    end: Instant,
) -> Result<(), Failure> {
    let mut reasons = BTreeMap::new();
    let mut unfit: Vec<Failure> = Vec::new();
    let mut end = end;
    loop {
        let all = wanted.dial.clone().chain(wanted.answer.clone());
        let missing: Vec<usize> = all.filter(|i| links[*i].is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let left = end.saturating_duration_since(Instant::now());
        let waits = wanted.purpose == Purpose::Control && missing.len() > unfit.len();
        if let Some(failure) = unfit.first().filter(|_| left.is_zero() || !waits) {
            return Err(failure.clone());
        }
        if let Some(failure) = (wanted.stop)() {
            return Err(failure);
        }
        match events.recv_timeout(left.min(LONG_PAUSE)) {
            Ok(Event::Linked(peer, stream)) => links[peer] = Some(stream),
            Ok(Event::Refused(peer, reason)) => drop(reasons.insert(peer, reason)),
            // One that was there and refused this process says more than its absence.
            Ok(Event::Unreached(peer, reason)) => {
                reasons.entry(Some(peer)).or_insert(reason);
            }
            Ok(Event::Unfit(failure)) => {
                unfit.push(failure);
                end = end.min(Instant::now() + FAREWELL);
            }
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(absent(&missing, &reasons, wanted));
            }
        }
    }
}

fn absent(
    missing: &[usize],
    reasons: &BTreeMap<Option<usize>, String>,
    wanted: &Wanted,
) -> Failure {
    let place = |i: usize| wanted.addresses.get(i)?.first().filter(|place| !place.is_empty());
    let name = |i: &usize| match (reasons.get(&Some(*i)), place(*i)) {
        (Some(reason), Some(_)) if wanted.dial.contains(i) => {
            format!("process {i} at {}: {reason}", wanted.addresses[*i].join(" or "))
        }
        (Some(reason), _) => format!("process {i}: {reason}"),
        (None, Some(place)) => format!("process {i} on {} did not connect", host_of(place)),
        (None, _) => format!("process {i} did not connect"),
    };
    let names: Vec<String> = missing.iter().map(name).collect();
    let within = wanted.deadline;
    let mut message = format!("not all processes joined within {within:?}: {}", names.join("; "));
    if let Some(reason) = reasons.get(&None) {
        message += &format!("; a connection was refused: {reason}");
    }
    Failure::new(FailureKind::Peer, message)
}

/// The host of `host:port`.
fn host_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

/// A process to dial.
struct Call {
    to: usize,
    places: Vec<String>,
    purpose: Purpose,
    end: Instant,
}

/// Dials a process until it answers as it should.
fn dial(me: &Member, call: &Call, over: &AtomicBool, send: &Sender<Event>) {
    let mut pause = PAUSE;
    while !over.load(Ordering::Relaxed) && Instant::now() < call.end {
        let reply = call.once(me);
        let linked = reply.is_ok();
        let reply = reply.map(|stream| (call.to, stream));
        if send.send(event(reply, Some(call.to))).is_err() || linked {
            return;
        }
        thread::sleep(pause);
        pause = (2 * pause).min(LONG_PAUSE);
    }
}

impl Call {
    /// Tries all places in turn: another host may have one of the addresses, too.
    fn once(&self, me: &Member) -> Result<TcpStream, Refusal> {
        let mut refusal = None;
        for place in &self.places {
            match self.at(place, me) {
                Err(why @ (Refusal::Unreached(_) | Refusal::Stranger(_))) => {
                    // The first place is the best: what is wrong with it explains most.
                    refusal.get_or_insert(why);
                }
                settled => return settled,
            }
        }
        Err(refusal.unwrap_or_else(|| Refusal::Unreached("its address is not known".into())))
    }

    fn at(&self, place: &str, me: &Member) -> Result<TcpStream, Refusal> {
        let left = self.end.saturating_duration_since(Instant::now()).max(PAUSE);
        // With a place that does not answer at all the others are to have their turn.
        let time = if self.places.len() > 1 { left.min(ATTEMPT) } else { left };
        let mut stream = open(place, time).map_err(|e| Refusal::Unreached(e.to_string()))?;
        dialled(&mut stream, me, self.purpose, self.to)?;
        Ok(stream)
    }
}

/// A connection to the first of a name's addresses that takes it.
fn open(address: &str, time: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, time) {
            Ok(stream) => return Ok(stream),
            Err(e) => failed = e,
        }
    }
    Err(failed)
}

/// Answers whoever dials, each in a thread of its own.
fn answer_all(
    listener: &TcpListener,
    me: &Arc<Member>,
    purpose: Purpose,
    expected: &Range<usize>,
    over: &AtomicBool,
    send: &Sender<Event>,
) {
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
        let (me, expected) = (me.clone(), expected.clone());
        let (send, heard) = (send.clone(), guests.clone());
        let introduce = move || {
            let reply = stream
                .set_nonblocking(false)
                .map_err(|e| Refusal::Stranger(e.to_string()))
                .and_then(|()| answered(&mut stream, &me, purpose, &expected));
            // Nobody listens any more once the mesh is complete; then the link is closed.
            drop(send.send(event(reply.map(|peer| (peer, stream)), None)));
            heard.fetch_sub(1, Ordering::Relaxed);
        };
        // Without a thread the connection is closed: who belongs here dials again.
        if thread::Builder::new().spawn(introduce).is_err() {
            guests.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn event(reply: Result<(usize, TcpStream), Refusal>, peer: Option<usize>) -> Event {
    match reply {
        Ok((from, stream)) => match tune(&stream) {
            Ok(()) => Event::Linked(from, stream),
            Err(e) => Event::Refused(Some(from), e.to_string()),
        },
        Err(Refusal::Unreached(reason)) => match peer {
            Some(peer) => Event::Unreached(peer, reason),
            None => Event::Refused(None, reason),
        },
        Err(Refusal::Stranger(reason)) => Event::Refused(peer, reason),
        Err(Refusal::Unfit(failure)) => Event::Unfit(failure),
    }
}
