"""What Tidemill reads from a store that speaks S3, and puts there: against local files.

Usage: interop_stores.py BINARY REPOSITORY
The store is moto, on the loopback. Ends with exit code 1 at the first difference.
"""
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import xarray as xr
from moto.server import ThreadedMotoServer

BINARY = sys.argv[1]
KEY, SECRET, TOKEN = "AKIAEXAMPLE0KEY", "very/Secret+text", "sessiontokentext"
SAID = []

TABLE = "steps:\n  - read: %s\n  - reduce: { n: count(), x: sum(x), most: max(k) }\n"
GRID = "steps:\n  - read: %s\n  - reduce: { n: count(), v: sum(v), most: max(v) }\n"
MADE = "steps:\n  - range: { k: 0..%d }\n  - map: { x: sin(k) }\n  - write: %s\n"


def run(tmp, text, *arguments, good=True, **env):
    """Runs a pipeline, and keeps all that is said: the results, or what went wrong."""
    (tmp / "p.yaml").write_text(text)
    command = [BINARY, "run", "p.yaml", "--format", "json", *arguments]
    done = subprocess.run(command, cwd=tmp, capture_output=True, text=True, env={**os.environ, **env})
    SAID.append(done.stdout + done.stderr)
    assert (done.returncode == 0) == good, (text, done.stdout, done.stderr)
    return json.loads(done.stdout)["results"] if good else done.stdout + done.stderr


def reading(tmp, s3):
    """All formats have the same answers as local files; patterns and folders are listed."""
    k = np.arange(300_000)
    table = pa.table({"k": k, "x": np.sin(k)})
    pq.write_table(table, tmp / "t.parquet", row_group_size=20_000)
    with pa.ipc.new_file(str(tmp / "t.arrow"), table.schema) as file:
        file.write_table(table, max_chunksize=20_000)
    pa.csv.write_csv(table.slice(0, 50_000), tmp / "t.csv")
    data = xr.Dataset({"v": (("t", "y", "x"), np.random.default_rng(1).random((30, 60, 80)))})
    data.to_netcdf(tmp / "c.nc")
    data.to_netcdf(tmp / "z.nc", encoding={"v": {"zlib": True, "chunksizes": (1, 30, 40)}})
    data.to_netcdf(tmp / "o.nc", format="NETCDF3_64BIT")
    for path in [*tmp.glob("t.*"), *tmp.glob("*.nc")]:
        s3.upload_file(str(path), "lab", f"in/{path.name}")
        text = GRID if path.suffix == ".nc" else TABLE
        here = run(tmp, text % path.name)
        for arguments in (["-w", "2"], ["-n", "2", "-w", "1"]):
            there = run(tmp, text % f"s3://lab/in/{path.name}", "--tile", "7000", *arguments)
            assert there == here, (path, there, here)
    for i in range(3):
        for name in (f"parts/p{i}.parquet", f"deep/year={i}/p.parquet", f"deep/_x/p{i}.parquet"):
            s3.upload_file(str(tmp / "t.parquet"), "lab", name)
    for pattern, times in [("parts/*.parquet", 3), ("parts/p[01].parquet", 2), ("deep/**/*.parquet", 3)]:
        (found,) = run(tmp, TABLE % f"s3://lab/{pattern}").values()
        assert found[0]["n"] == times * 300_000, (pattern, found)
    assert "no file matches" in run(tmp, TABLE % "s3://lab/parts/*.nc", good=False)
    assert "there is no file" in run(tmp, TABLE % "s3://lab/none.csv", good=False)
    assert "NoSuchBucket" in run(tmp, TABLE % "s3://nowhere/none.csv", good=False)


def names(s3, prefix):
    return [o["Key"] for o in s3.list_objects_v2(Bucket="lab", Prefix=prefix).get("Contents", [])]


def writing(tmp, s3):
    """Whole objects under their names; what exists is refused; nothing is left here."""
    for name in ("a.csv", "a.arrow", "a.parquet", "a.nc"):
        to = f"s3://lab/out/{name}"
        run(tmp, MADE % (10_000, to), "--tile", "1000", "-w", "2")
        run(tmp, MADE % (10_000, name))
        here = run(tmp, TABLE % name)
        there = run(tmp, TABLE % to)
        assert there == here, (name, there, here)
        assert "exists already" in run(tmp, MADE % (10_000, to), good=False)
        run(tmp, MADE % (500, to), "--overwrite", "-n", "2", "-w", "1")
        (found,) = run(tmp, TABLE % to).values()
        assert found[0]["n"] == 500, (name, found)
    assert names(s3, "out/a.parquet") == ["out/a.parquet/_SUCCESS", "out/a.parquet/part-00000.parquet"]
    body = s3.get_object(Bucket="lab", Key="out/a.parquet/part-00000.parquet")["Body"].read()
    assert pq.read_table(io.BytesIO(body))["k"].to_pylist() == list(range(500))
    # Beyond what goes in one request.
    run(tmp, MADE % (4_500_000, "s3://lab/out/large.arrow"))
    assert "-" in s3.head_object(Bucket="lab", Key="out/large.arrow")["ETag"]
    (found,) = run(tmp, TABLE % "s3://lab/out/large.arrow").values()
    assert found[0]["n"] == 4_500_000
    own = "steps:\n  - read: s3://lab/out/*.csv\n  - write: s3://lab/out/%s\n"
    assert "would read" in run(tmp, own % "b.csv", good=False)
    assert "read and written" in run(tmp, own % "a.csv", "--overwrite", good=False)
    left = [p.name for p in (tmp / "tmp").iterdir()]
    assert not left, left


def remembering(tmp, s3):
    """With a ledger nothing is done twice, until the input changes."""
    text = "steps:\n  - read: s3://lab/in/t.csv\n  - write: s3://lab/out/kept.csv\n"
    run(tmp, text, "--state", "state")
    before = s3.head_object(Bucket="lab", Key="out/kept.csv")["LastModified"]
    run(tmp, text, "--state", "state")
    assert s3.head_object(Bucket="lab", Key="out/kept.csv")["LastModified"] == before
    s3.put_object(Bucket="lab", Key="in/t.csv", Body=b"k,x\n1,2.5\n")
    run(tmp, text, "--state", "state")
    assert s3.get_object(Bucket="lab", Key="out/kept.csv")["Body"].read() == b"k,x\n1,2.5\n"


def credentials(tmp, s3):
    """They come from profiles too, and are in nothing that is said or kept."""
    home = tmp / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(f"[lab]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n")
    (home / ".aws/config").write_text(f"[profile lab]\nendpoint_url = {os.environ['AWS_ENDPOINT_URL']}\n")
    hidden = {n: "" for n in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")}
    text = TABLE % "s3://lab/in/t.parquet"
    run(tmp, text, HOME=str(home), AWS_PROFILE="lab", **hidden)
    assert "no profile `none`" in run(tmp, text, good=False, HOME=str(home), AWS_PROFILE="none", **hidden)
    none = {"AWS_SKIP_SIGNATURE": "true", **{n: "" for n in hidden if "URL" not in n}}
    assert "access is denied" in run(tmp, text, good=False, **none)
    s3.put_object_acl(Bucket="lab", Key="in/t.parquet", ACL="public-read")
    run(tmp, text, **none)
    assert "not encrypted" in run(tmp, text, good=False, AWS_ALLOW_HTTP="")
    run(tmp, text, "--profile", "profile.json", "--state", "state")
    for verb in (["explain"], ["check"], ["status"]):
        done = subprocess.run([BINARY, *verb, "p.yaml"], cwd=tmp, capture_output=True, text=True)
        SAID.append(done.stdout + done.stderr)
    kept = [p for p in tmp.rglob("*") if p.is_file() and home not in p.parents]
    texts = [*(said.encode() for said in SAID), *(p.read_bytes() for p in kept)]
    assert len(texts) > 20 and any(b"s3://lab/in/t.parquet" in text for text in texts)
    for secret in (KEY, SECRET, TOKEN):
        assert not any(secret.encode() in text for text in texts), secret


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ.update(
        AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN=TOKEN, AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1", AWS_ENDPOINT_URL=f"http://{host}:{port}", AWS_ALLOW_HTTP="true",
    )
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lab")
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        (tmp / "tmp").mkdir()
        os.environ["TMPDIR"] = str(tmp / "tmp")
        for case in (reading, writing, remembering, credentials):
            case(tmp, s3)
            print(f"interop stores, {case.__name__}: ok", flush=True)
    server.stop()


main()
