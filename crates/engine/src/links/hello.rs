//! The handshake: both sides say who they are and prove that they know the run's secret.
//!
//! Each side sends a hello and a nonce, then HMAC-SHA256(secret, role, both hellos), then one byte
//! once it has accepted the other. Whoever was dialled proves itself last, so that a stranger who
//! calls learns nothing from which words could be guessed. The secret itself never travels, and no
//! recorded handshake can be played again, since both nonces go into both proofs.
use base::{Failure, FailureKind};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Version of what processes say to each other; processes of one run must agree.
pub const PROTOCOL: u32 = 3;

/// A connection that has not introduced itself by then is closed.
pub const HELLO_TIME: Duration = Duration::from_secs(2);

const MAGIC: [u8; 8] = *b"TIDEMILL";
const HELLO: usize = 8 + 4 + 4 + 4 + 4 + 4 + 32 + 32 + 32;
const WELCOME: u8 = b'+';

/// What only the processes of one run know. It never travels over a link, and never stands in
/// arguments, which others on the machine can read.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new one from the system's random numbers.
    ///
    /// # Errors
    /// If the system has none.
    pub fn random() -> Result<Secret, Failure> {
        Ok(Secret(random()?))
    }

    /// From words that all processes of the run were given.
    pub fn from_words(words: &str) -> Secret {
        Secret(Sha256::digest(words.trim()).into())
    }

    /// As text, for the pipe.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// From the text of [`Secret::to_hex`].
    pub fn from_hex(text: &str) -> Option<Secret> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Secret(bytes))
    }
}

/// Says nothing of what it holds, so that no log can.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What stands for some bytes in a [`Member`]: their SHA-256.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A process of a run, as it introduces itself.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its place among the processes, from 0.
    pub index: usize,
    /// How many processes the run has.
    pub processes: usize,
    /// Worker threads in each process; 0 where any number will do.
    pub threads: usize,
    /// The run; a process left over from another run is not admitted.
    pub run_id: String,
    /// The plan's hash: all must run the same.
    pub plan: [u8; 32],
    /// What proves that it belongs to the run.
    pub secret: Secret,
    /// [`PROTOCOL`].
    pub protocol: u32,
}

/// What a link is for. It goes into the proofs, so that one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Tiles, between each two processes.
    Data,
    /// Orders and reports, between process 0 and each other one.
    Control,
}

impl Purpose {
    /// Names of the two sides in the proofs: whoever dials, whoever answers.
    fn roles(self) -> [&'static [u8]; 2] {
        match self {
            Purpose::Data => [b"dialler", b"answerer"],
            Purpose::Control => [b"agent", b"hub"],
        }
    }
}

/// Why a connection did not become a link.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody answered there.
    Unreached(String),
    /// It did not prove that it belongs to the run: ignored, but told if the peer never comes.
    Stranger(String),
    /// It proved that it belongs to the run, and cannot take part in it.
    Unfit(Failure),
}

impl Member {
    fn hello(&self, nonce: [u8; 32]) -> [u8; HELLO] {
        let mut out = [0; HELLO];
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
        let parts: [&[u8]; 9] = [
            &MAGIC,
            &self.protocol.to_be_bytes(),
            &number(self.index),
            &number(self.processes),
            &number(self.threads),
            &[0; 4],
            &Sha256::digest(&self.run_id),
            &self.plan,
            &nonce,
        ];
        let mut at = 0;
        for part in parts {
            out[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        out
    }

    /// What the other side's hello says beside its index that does not fit, in a sentence.
    fn misfit(&self, other: &Hello, purpose: Purpose) -> Option<String> {
        let who = format!("process {}", other.index);
        let run: [u8; 32] = Sha256::digest(&self.run_id).into();
        Some(if other.protocol != self.protocol {
            let (theirs, ours) = (other.protocol, self.protocol);
            format!(
                "{who} speaks version {theirs} of the protocol between processes, not {ours}: is it another tidemill?"
            )
        } else if other.run != run {
            format!("{who} belongs to another run")
        } else if other.plan != self.plan && purpose == Purpose::Control {
            format!("{who} was started with another pipeline file, or other parameters or options")
        } else if other.plan != self.plan {
            format!("{who} has another plan: do all processes see the same input files?")
        } else if other.processes != self.processes {
            let (theirs, ours) = (other.processes, self.processes);
            format!("{who} was started as one of {theirs} processes, not of {ours}")
        } else if other.threads != self.threads && other.threads != 0 && self.threads != 0 {
            let (theirs, ours) = (other.threads, self.threads);
            format!("{who} was started with {theirs} threads, not {ours}: all need the same number")
        } else {
            return None;
        })
    }
}

/// The other side's hello, read.
struct Hello {
    protocol: u32,
    index: usize,
    processes: usize,
    threads: usize,
    run: [u8; 32],
    plan: [u8; 32],
}

impl Hello {
    fn read(bytes: &[u8; HELLO]) -> Option<Hello> {
        let number = |at: usize| Some(u32::from_be_bytes(bytes[at..at + 4].try_into().ok()?));
        Some(Hello {
            protocol: (bytes[..8] == MAGIC).then(|| number(8))??,
            index: number(12)? as usize,
            processes: number(16)? as usize,
            threads: number(20)? as usize,
            run: bytes[28..60].try_into().ok()?,
            plan: bytes[60..92].try_into().ok()?,
        })
    }
}

/// Runs the handshake on the side that dialled `expected`.
///
/// # Errors
/// If it is not that process, or not of this run.
pub fn dialled(
    stream: &mut TcpStream,
    me: &Member,
    purpose: Purpose,
    expected: usize,
) -> Result<(), Refusal> {
    let index = handshake(stream, me, purpose, purpose.roles(), Turn::First)?;
    if index != expected {
        return Err(Refusal::Stranger(format!("it says that it is process {index}")));
    }
    Ok(())
}

/// Runs the handshake on the side that was dialled; tells by whom.
///
/// # Errors
/// If it is not a process of this run that should dial this one: one of `expected`.
pub fn answered(
    stream: &mut TcpStream,
    me: &Member,
    purpose: Purpose,
    expected: &Range<usize>,
) -> Result<usize, Refusal> {
    let [theirs, mine] = purpose.roles();
    let index = handshake(stream, me, purpose, [mine, theirs], Turn::Last)?;
    if !expected.contains(&index) {
        return Err(Refusal::Stranger(format!("it says that it is process {index}")));
    }
    Ok(index)
}

/// When a side proves itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    Last,
}

/// The same steps on both sides; only the names of the roles and the turns differ.
fn handshake(
    stream: &mut TcpStream,
    me: &Member,
    purpose: Purpose,
    roles: [&[u8]; 2],
    turn: Turn,
) -> Result<usize, Refusal> {
    let end = Instant::now() + HELLO_TIME;
    let silent =
        |e: io::Error| Refusal::Stranger(format!("it does not answer as tidemill does ({e})"));
    let mine = me.hello(random().map_err(Refusal::Unfit)?);
    stream
        .set_write_timeout(Some(HELLO_TIME))
        .and_then(|()| stream.write_all(&mine))
        .map_err(silent)?;
    let theirs: [u8; HELLO] = read(stream, end).map_err(silent)?;
    let hello =
        Hello::read(&theirs).ok_or_else(|| Refusal::Stranger("it is not tidemill".into()))?;
    let proof = |role: &[u8], parts: [&[u8]; 2]| prove(&me.secret, role, parts);
    let own = proof(roles[0], [&mine, &theirs])?.finalize().into_bytes();
    if turn == Turn::First {
        stream.write_all(&own).map_err(silent)?;
    }
    let refused = |_| Refusal::Stranger("it refused this process: has it the same secret?".into());
    let answer: Result<[u8; 32], _> = read(stream, end);
    let answer = match turn {
        Turn::First => answer.map_err(refused)?,
        Turn::Last => answer.map_err(silent)?,
    };
    proof(roles[1], [&theirs, &mine])?.verify_slice(&answer).map_err(|_| {
        Refusal::Stranger(format!(
            "it says that it is process {} but does not know the secret of this run",
            hello.index
        ))
    })?;
    if turn == Turn::Last {
        stream.write_all(&own).map_err(silent)?;
    }
    if let Some(sentence) = me.misfit(&hello, purpose) {
        return Err(Refusal::Unfit(Failure::new(FailureKind::Peer, sentence)));
    }
    stream.write_all(&[WELCOME]).map_err(silent)?;
    let welcome: [u8; 1] = read(stream, end).map_err(refused)?;
    (welcome[0] == WELCOME)
        .then_some(hello.index)
        .ok_or_else(|| Refusal::Stranger("it is not tidemill".into()))
}

fn prove(secret: &Secret, role: &[u8], hellos: [&[u8]; 2]) -> Result<Hmac<Sha256>, Refusal> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0)
        .map_err(|e| Refusal::Unfit(Failure::internal(e.to_string())))?;
    for part in [role, hellos[0], hellos[1]] {
        mac.update(part);
    }
    Ok(mac)
}

/// Reads exactly `N` bytes until `end`, however slowly they come.
fn read<const N: usize>(stream: &mut TcpStream, end: Instant) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut have = 0;
    while have < N {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "too slow"));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut bytes[have..]) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up")),
            Ok(n) => have += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it says nothing"));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(bytes)
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| Failure::internal(format!("the system has no random numbers: {e}")))?;
    Ok(bytes)
}
