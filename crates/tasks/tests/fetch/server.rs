//! A web server on the loopback, one thread a connection, that does whatever a test says.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// How many of this path have come, this one included.
    pub n: usize,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The first byte of a `Range`, if there is one.
    pub fn from(&self) -> Option<usize> {
        self.header("range").strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// It listens until the tests end.
pub struct Server {
    pub base: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Each connection has one request, which `answer` answers.
    pub fn new(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, requests) = (Arc::new(answer), log.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, requests) = (answer.clone(), requests.clone());
                thread::spawn(move || serve(stream.unwrap(), &*answer, &requests));
            }
        });
        Server { base, log }
    }

    /// All requests, in their order.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Request, &mut TcpStream) + Send + Sync),
    log: &Mutex<Vec<Request>>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let request = {
        let mut log = log.lock().unwrap();
        let n = log.iter().filter(|r| r.path == path).count() + 1;
        let request = Request { path, n, headers };
        log.push(request.clone());
        request
    };
    answer(&request, &mut stream);
}

/// Sends a head and what follows it; the client may have gone.
pub fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)));
}

/// Sends all of a body.
pub fn ok(stream: &mut TcpStream, body: &[u8]) {
    send(stream, &format!("200 OK\r\nContent-Length: {}", body.len()), body);
}

/// Sends a body, or the rest of it that is asked for, but at most so many bytes before it hangs up.
pub fn ranged(request: &Request, stream: &mut TcpStream, body: &[u8], tag: &str, most: usize) {
    let (total, if_range) = (body.len(), request.header("if-range"));
    let from = request.from().filter(|_| if_range.is_empty() || if_range == tag);
    let from = from.unwrap_or(0);
    if from >= total {
        return send(stream, &format!("416 No\r\nContent-Range: bytes */{total}"), b"");
    }
    let rest = &body[from..];
    let (status, range) = match from {
        0 => ("200 OK", String::new()),
        _ => {
            let range = format!("\r\nContent-Range: bytes {from}-{}/{total}", total - 1);
            ("206 Partial Content", range)
        }
    };
    let head = format!("{status}\r\nETag: {tag}\r\nContent-Length: {}{range}", rest.len());
    send(stream, &head, &rest[..rest.len().min(most)]);
}

/// Longer than any client in a test waits.
pub fn stall() {
    thread::sleep(Duration::from_secs(20));
}

/// Bytes without a pattern (xorshift).
pub fn bytes(n: usize, seed: u64) -> Vec<u8> {
    let mut x = seed * 2 + 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x as u8
    };
    (0..n).map(|_| next()).collect()
}
