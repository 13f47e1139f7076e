//! Inputs on a web server: read in parts, many requests at once, with its faults; and addresses of
//! stores, which never become names of local files.
use crate::bench::Bench;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// The server of `tests/servers/store.py`. It ends when this is dropped, for then its standard
/// input does.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn of(folder: &Path, options: &[&str]) -> Server {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/servers/store.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(folder).args(options);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("python3 is needed for a web server");
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Server { child, address: address.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// A folder with an input of each kind, made here; the pipelines that read them, there or at an
/// address, are `read-KIND.yaml`.
fn bench() -> Bench {
    let made = "  - range: { k: 0..60000 }\n  - map: { x: sin(k), s: k % 7 }\n";
    let rows = ["a.csv", "a.arrow", "a.parquet"].map(|name| format!("  - write: {name}\n"));
    let bench = Bench::new(&format!("steps:\n{made}{}", rows.concat()));
    bench.good("run p.yaml -q --tile 5000");
    // One part is a file like any other.
    let part = bench.path().join("a.parquet/part-00000.parquet");
    fs::copy(part, bench.path().join("one.parquet")).unwrap();
    let grid = "steps:\n  - grid: { t: 0..20, y: 0..50, x: 0..60 }\n  - map: { v: t * y - x }\n";
    for (name, options) in [("g.nc", ""), ("z.nc", "    deflate: 1\n")] {
        let text = format!("{grid}  - write: {name}\n{options}");
        fs::write(bench.path().join("grid.yaml"), text).unwrap();
        bench.good("run grid.yaml -q --tile t=2,y=50,x=60");
    }
    let table = "  - reduce: { n: count(), x: sum(x), s: sum(s), last: max(k) }\n";
    let grid = "  - reduce: { n: count(), v: sum(v), most: max(v) }\n";
    for (name, steps) in [("table", table), ("grid", grid)] {
        let text = format!("params: {{ at: nothing.csv }}\nsteps:\n  - read: ${{at}}\n{steps}");
        fs::write(bench.path().join(format!("{name}.yaml")), text).unwrap();
    }
    bench
}

const INPUTS: [(&str, &str); 5] = [
    ("table", "a.csv"),
    ("table", "a.arrow"),
    ("table", "one.parquet"),
    ("grid", "g.nc"),
    ("grid", "z.nc"),
];

#[test]
fn what_is_read_from_a_server_is_what_is_read_from_a_file() {
    let bench = bench();
    let server = Server::of(bench.path(), &["--latency", "0.01"]);
    for (pipeline, name) in INPUTS {
        let read = |at: &str, more: &str| {
            bench.good(&format!("run {pipeline}.yaml -q --tile 3000 --set at={at}{more}")).0
        };
        let here = read(name, "");
        let there = format!("{}/{name}", server.address);
        for more in [" -w 1", " -w 3", " -n 2 -w 1"] {
            assert_eq!(read(&there, more), here, "{name}{more}");
        }
    }
}

#[test]
fn faults_of_a_server_end_in_an_answer_or_a_sentence() {
    let bench = bench();
    for fault in ["busy", "cuts"] {
        let server = Server::of(bench.path(), &["--latency", "0", "--fault", fault]);
        let run = format!("run table.yaml -q --set at={}/one.parquet", server.address);
        let here = bench.good("run table.yaml -q --set at=one.parquet").0;
        assert_eq!(bench.good(&run).0, here, "{fault}");
    }
    for (fault, said) in [("no-ranges", "does not serve parts"), ("changes", "was changed while")] {
        let server = Server::of(bench.path(), &["--latency", "0", "--fault", fault]);
        for (pipeline, name) in INPUTS {
            let run = format!("run {pipeline}.yaml -q --set at={}/{name}", server.address);
            let (_, err, code) = bench.run(&run);
            assert!(code != 0 && err.contains(said), "{name}: {code} {err}");
        }
    }
}

#[test]
fn what_is_no_object_is_told() {
    let bench = bench();
    let server = Server::of(bench.path(), &["--latency", "0"]);
    let at = &server.address;
    let cases = [
        (format!("{at}/none.csv"), "there is no file"),
        (format!("{at}/*.csv"), "does not say what files it has"),
        (format!("{at}/a.csv?token=1"), "has a query"),
        ("gs://lab/a.csv".to_owned(), "only s3://"),
        ("s3://lab//a.csv".to_owned(), "may not be empty"),
        ("http://127.0.0.1:1/a.csv".to_owned(), "cannot be reached"),
    ];
    for (name, said) in cases {
        let (_, err, code) = bench.run(&format!("check table.yaml --set at={name}"));
        assert!(code != 0 && err.contains(said), "{name}: {err}");
    }
    let here = bench.path().join("a.csv");
    bench.good(&format!("run table.yaml -q --set at=file://{}", here.display()));
}

#[test]
fn many_requests_are_under_way_at_once() {
    let bench = bench();
    let server = Server::of(bench.path(), &["--latency", "0.05"]);
    let begun = Instant::now();
    let names: Vec<String> = (0..40).map(|i| format!("{}/p{i}.parquet", server.address)).collect();
    for i in 0..40 {
        let copy = bench.path().join(format!("p{i}.parquet"));
        fs::copy(bench.path().join("one.parquet"), copy).unwrap();
    }
    let text = format!(
        "steps:\n  - read: [{}]\n  - reduce: {{ n: count(), x: sum(x) }}\n",
        names.join(", ")
    );
    fs::write(bench.path().join("many.yaml"), text).unwrap();
    bench.good("run many.yaml -q -w 1");
    // One after the other 40 files would take four answers each: 8 seconds.
    assert!(begun.elapsed().as_secs_f64() < 6.0, "{:?}", begun.elapsed());
}

#[test]
fn an_address_never_becomes_a_local_folder() {
    let bench = bench();
    let write = |to: &str| {
        let text = format!("steps:\n  - range: {{ k: 0..10 }}\n  - write: {to}\n");
        fs::write(bench.path().join("w.yaml"), text).unwrap();
    };
    for (to, said) in [
        ("http://127.0.0.1:1/x.csv", "takes no files"),
        ("gs://lab/x.csv", "there is no `gs://`"),
        ("s3://lab", "names no object"),
    ] {
        write(to);
        let (_, err, code) = bench.run("run w.yaml -q");
        assert!(code != 0 && err.contains(said), "{to}: {err}");
    }
    write("s3://lab/folder/x.csv");
    bench.good("run w.yaml -q --out here");
    assert!(bench.path().join("here/x.csv").is_file());
    let names = fs::read_dir(bench.path()).unwrap().map(|e| e.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains(':')));
}
