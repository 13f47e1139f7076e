//! Options of a link's socket: errors are noticed, small messages are not held back.
use rustix::net::sockopt;
use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// How long sent bytes may stay unacknowledged before the link counts as lost. Generous, since a
/// whole run that was stopped for a moment (Ctrl-Z) should go on afterwards.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// An idle link is probed so often, and lost after three probes without an answer.
const PROBE: Duration = Duration::from_secs(5);

/// Sets the options, for a link that is about to be used.
///
/// # Errors
/// If the system refuses one of them.
pub fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    stream.set_nodelay(true)?;
    sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED.as_millis() as u32)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, PROBE)?;
    sockopt::set_tcp_keepintvl(stream, PROBE)?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    Ok(())
}
