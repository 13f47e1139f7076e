//! Arrow data between two processes: through the dataflow's exchange, and as bare bytes through a
//! socket, in turn; gigabytes a second, medians, and their ratio.
//! `cargo bench --bench exchange [KIB OF A TILE ...]`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, Int64Array};
use base::{Column, DType, DimMask, Domain, Failure, Field, Region, Schema, Tile, Tiling};
use engine::deal::{Asking, Dealer};
use engine::{Mesh, Options, Watch, run};
use formats::{Arrangement, Sink, TileSource, TileWriter, Written};
use plan::physical::{Memory, Node, Op, Physical, Read, Route};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read as _, Write as _, stdin, stdout};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Bytes that are sent in a round.
const BYTES: usize = 512 << 20;
const ROUNDS: usize = 7;
/// The variable by which the second process knows what it is.
const CHILD: &str = "EXCHANGE_BENCH_CHILD";

fn main() {
    if let Ok(words) = std::env::var(CHILD) {
        let words: Vec<usize> = words.split(' ').map(|w| w.parse().unwrap()).collect();
        return child(words[0] as u16, words[1]);
    }
    let asked: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![64, 256, 1024, 4096] } else { asked };
    println!("{:>12} {:>14} {:>14} {:>8}", "KiB a tile", "exchange", "bare bytes", "ratio");
    for kib in sizes {
        let (mut exchange, mut bare): (Vec<f64>, Vec<f64>) =
            (0..ROUNDS).map(|_| round(kib)).unzip();
        for times in [&mut exchange, &mut bare] {
            times.sort_by(f64::total_cmp);
        }
        let (ours, bytes) = (exchange[ROUNDS / 2], bare[ROUNDS / 2]);
        println!("{kib:>12} {ours:>9.2} GB/s {bytes:>9.2} GB/s {:>8.2}", ours / bytes);
    }
}

/// Both ways once; gigabytes a second.
fn round(kib: usize) -> (f64, f64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(CHILD, format!("{port} {kib}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let links: Vec<TcpStream> = (0..2).map(|_| listener.accept().unwrap().0).collect();
    links.iter().for_each(|link| link.set_nodelay(true).unwrap());
    let plan = plan(kib << 10, 0);
    let dealer = Arc::new(Mutex::new(Dealer::new(&plan.physical, &[], 2, 1)));
    let watch = Arc::new(Watch::new());
    let (ours, heard) = (dealer.clone(), watch.clone());
    let asking = Asking::new(move |ask| {
        let deal = ours.lock().unwrap().deal(0, &ask);
        heard.dealt(&deal);
    });
    let (mut orders, words) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let answers = std::thread::spawn(move || {
        let mut sent = 0;
        for line in BufReader::new(words).lines() {
            let line = line.unwrap();
            match serde_json::from_str(&line) {
                Ok(ask) => {
                    let deal = dealer.lock().unwrap().deal(1, &ask);
                    writeln!(orders, "{}", serde_json::to_string(&deal).unwrap()).unwrap();
                }
                Err(_) => sent = line.strip_prefix("sent ").unwrap().parse().unwrap(),
            }
        }
        sent
    });
    let mut links = links.into_iter();
    let (data, mut bare) = (links.next().unwrap(), links.next().unwrap());
    let sockets = vec![None, Some(data)];
    let (tally, bytes) = exchange(plan, Mesh { index: 0, processes: 2, sockets, asking }, watch);
    let mut buffer = vec![0; kib << 10];
    let start = Instant::now();
    let mut got = 0;
    while got < BYTES {
        let most = buffer.len().min(BYTES - got);
        bare.read_exact(&mut buffer[..most]).unwrap();
        got += most;
    }
    let seconds = start.elapsed().as_secs_f64();
    bare.write_all(&[1]).unwrap();
    child.wait().unwrap();
    let crossed: u64 = bytes + answers.join().unwrap();
    (crossed as f64 / tally / 1e9, BYTES as f64 / seconds / 1e9)
}

fn child(port: u16, kib: usize) {
    let links: Vec<TcpStream> =
        (0..2).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    links.iter().for_each(|link| link.set_nodelay(true).unwrap());
    let watch = Arc::new(Watch::new());
    let heard = watch.clone();
    std::thread::spawn(move || {
        for line in stdin().lines() {
            heard.dealt(&serde_json::from_str(&line.unwrap()).unwrap());
        }
    });
    let asking = Asking::new(|ask| {
        let mut out = stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&ask).unwrap()).unwrap();
    });
    let mut links = links.into_iter();
    let (data, mut bare) = (links.next().unwrap(), links.next().unwrap());
    let mesh = Mesh { index: 1, processes: 2, sockets: vec![Some(data), None], asking };
    let (_, bytes) = exchange(plan(kib << 10, 1), mesh, watch);
    println!("sent {bytes}");
    let buffer = vec![1; kib << 10];
    let mut sent = 0;
    while sent < BYTES {
        let most = buffer.len().min(BYTES - sent);
        bare.write_all(&buffer[..most]).unwrap();
        sent += most;
    }
    bare.read_exact(&mut [0]).unwrap();
}

/// The seconds that it took, and the bytes that this process has sent to the other.
fn exchange(plan: Crossing, mesh: Mesh, watch: Arc<Watch>) -> (f64, u64) {
    let options = Options { mesh: Some(mesh), in_flight: 4, ..Options::of(&plan.physical, 1) };
    let tally = run(plan.physical, options, watch).unwrap();
    (tally.seconds, plan.sent.load(Relaxed))
}

/// A plan whose tiles all go to the other process.
struct Crossing {
    physical: Arc<Physical>,
    sent: Arc<AtomicU64>,
}

/// Tiles of so many bytes in two columns, which worker `number % 2` gets.
fn plan(bytes: usize, process: u64) -> Crossing {
    let (rows, tiles) = (bytes / 16, (BYTES / bytes).max(1));
    let field = |name, dtype| Field::new(name, dtype, DimMask::only(0));
    let schema = Schema {
        domain: Domain::new([("row", (rows * tiles) as u64)]),
        fields: vec![field("k", DType::Int64), field("x", DType::Float64)],
        ..Schema::default()
    };
    let sent = Arc::new(AtomicU64::new(0));
    let columns: [ArrayRef; 2] = [
        Arc::new(Int64Array::from_iter_values(0..rows as i64)),
        Arc::new(Float64Array::from_iter_values((0..rows).map(|i| i as f64))),
    ];
    let source = Same { schema: schema.clone(), columns, rows, process, sent: sent.clone() };
    let read = Read {
        source: Some(Arc::new(source)),
        files: None,
        offset: vec![0],
        columns: vec![0, 1],
        tiling: Tiling::even(&schema.domain, &[rows as u64]),
        survivors: None,
        place: String::new(),
        program: None,
    };
    let ops = [Op::Read(read), Op::Exchange(Route::Tile), Op::Write(Arc::new(Nowhere))];
    let node = |(at, op): (usize, Op)| {
        let inputs = at.checked_sub(1).into_iter().collect();
        let (step, place) = ("exchange".into(), String::new());
        Node { step, place, op, inputs, schema: schema.clone() }
    };
    let nodes = ops.into_iter().enumerate().map(node).collect();
    let (title, memory) = ("exchange".into(), Memory::default());
    Crossing {
        physical: Arc::new(Physical {
            title,
            hash: [0; 32],
            nodes,
            meanings: Vec::new(),
            state: None,
            memory,
            allow: Vec::new(),
        }),
        sent,
    }
}

/// The same values in every tile; counts those that leave the process.
struct Same {
    schema: Schema,
    columns: [ArrayRef; 2],
    rows: usize,
    process: u64,
    sent: Arc<AtomicU64>,
}

impl TileSource for Same {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn tiling(&self, _points: u64) -> Option<Tiling> {
        None
    }

    fn read(&self, region: &Region, _columns: &[usize]) -> Result<Vec<Column>, Failure> {
        if region.origin[0] / self.rows as u64 % 2 != self.process {
            self.sent.fetch_add(16 * self.rows as u64, Relaxed);
        }
        Ok(self.columns.iter().map(|array| array.clone().into()).collect())
    }

    fn describe(&self) -> String {
        "the same values".into()
    }
}

/// Looks at all values and keeps none.
struct Nowhere;

impl Sink for Nowhere {
    fn arrangement(&self) -> Arrangement {
        Arrangement::Anywhere
    }
    fn create(&self) -> Result<(), Failure> {
        Ok(())
    }
    fn writer(&self) -> Result<Box<dyn TileWriter>, Failure> {
        Ok(Box::new(Nowhere))
    }
    fn commit(&self) -> Result<Written, Failure> {
        Err(Failure::internal("never named"))
    }
    fn abandon(&self) {}
    fn path(&self) -> &Path {
        Path::new("nowhere")
    }
    fn memory(&self, _tile_bytes: u64) -> u64 {
        0
    }
    fn describe(&self) -> String {
        "nowhere".into()
    }
}

impl TileWriter for Nowhere {
    fn write(&mut self, tile: &Tile) -> Result<(), Failure> {
        let keys: i64 = tile.columns[0].array.as_primitive::<Int64Type>().values().iter().sum();
        let values = tile.columns[1].array.as_primitive::<Float64Type>().values();
        black_box((keys, values.iter().fold(0.0, |most: f64, x| most.max(*x))));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
