"""LAION: every published schema under one, the same SQL on two engines, downloads with manners."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import data_helpers
from data_helpers import laion
from data_helpers.errors import DataError, FormatError, MissingFileError, UnknownNameError
from data_helpers.laion.polite import Policy, Refused, Visitor, public_address
from data_helpers.serve import Server

SCHEMAS = {
    "LAION-400M": ["SAMPLE_ID", "URL", "TEXT", "HEIGHT", "WIDTH", "LICENSE", "NSFW", "similarity"],
    "2B-en, joined": ["URL", "TEXT", "WIDTH", "HEIGHT", "similarity", "hash", "pwatermark", "punsafe"],
    "2B-multi, joined": ["URL", "TEXT", "WIDTH", "HEIGHT", "similarity", "LANGUAGE", "hash", "pwatermark", "punsafe"],
    "1B-nolang, first": ["URL", "TEXT", "WIDTH", "HEIGHT", "similarity", "LICENSE", "NSFW"],
    "aesthetics": ["URL", "TEXT", "WIDTH", "HEIGHT", "similarity", "hash", "pwatermark", "punsafe", "AESTHETIC_SCORE"],
    "2B-en-md5": ["URL", "TEXT", "hash", "md5"],
    "Re-LAION": ["url", "caption", "width", "height", "similarity", "hash", "punsafe", "pwatermark", "status"],
}
VALUES: dict[str, Any] = {
    "sample_id": 7, "url": "http://a.example/1.jpg", "text": "a boat", "caption": "a boat", "height": 200, "width": 300,
    "license": "?", "nsfw": "UNLIKELY", "similarity": 0.31, "hash": -5, "pwatermark": 0.1, "punsafe": 0.2,
    "language": "fr", "aesthetic_score": 6.5, "md5": "0" * 32, "status": "success",
}  # fmt: skip


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("release", SCHEMAS)
def test_every_published_schema_reads_the_same(release: str, tmp_path: Path) -> None:
    table = {name: [VALUES[name.lower()]] for name in SCHEMAS[release]}
    (row,) = laion.read_metadata(write(tmp_path / "part-00000.parquet", table))
    assert row.url == row["url"] == "http://a.example/1.jpg" and row["caption"] == "a boat"
    assert tuple(dict(row)) == tuple(laion.COLUMNS)
    for name, own in {
        "LICENSE": "licence",
        "NSFW": "nsfw",
        "LANGUAGE": "language",
        "AESTHETIC_SCORE": "aesthetic",
    }.items():
        assert (row[own] is not None) == (name in SCHEMAS[release])
    assert row["hash"] == (-5 if "hash" in SCHEMAS[release] else None)


def test_several_schemas_are_one_table(tmp_path: Path) -> None:
    for number, (release, names) in enumerate(SCHEMAS.items()):
        write(tmp_path / release / f"part-{number:05d}.parquet", {name: [VALUES[name.lower()]] * 3 for name in names})
    table = laion.read_metadata(tmp_path)
    assert len(table) == len(list(table)) == 3 * len(SCHEMAS)
    assert laion.query("SELECT count(language) AS n FROM laion", str(tmp_path / "*" / "*.parquet")) == [(3,)]
    assert laion.query("SELECT max(url) AS u FROM laion", sorted(tmp_path.rglob("*.parquet")))[0].u == VALUES["url"]


def test_narrower_types_are_widened_and_shifted_values_do_not_end_a_query(tmp_path: Path) -> None:
    columns = {
        "URL": ["x"],
        "TEXT": ["t"],
        "WIDTH": pa.array([3], pa.int16()),
        "HEIGHT": ["tall"],
        "similarity": pa.array([0.5], pa.float32()),
    }
    (row,) = laion.read_metadata(write(tmp_path / "a.parquet", columns))
    assert (row.width, row.height, row.similarity) == (3, None, 0.5)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


BAD = {
    "git lfs": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 99\n",
        "Git LFS pointer to a file of 99 bytes",
    ),
    "html": ("<!DOCTYPE html><title>Sign in</title>", "HTML page"),
    "csv": ("URL,TEXT\n", "expected Parquet"),
    "gzip": ("\x1f\x8b\x08", "gzip"),
    "empty": ("", "empty file"),
}


@pytest.mark.parametrize("kind", [*BAD, "truncated", "damaged", "no addresses"])
def test_what_is_not_a_table_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    expected = "column of addresses"
    if kind in BAD:
        path.write_text(BAD[kind][0], encoding="latin-1")
        expected = BAD[kind][1]
    else:
        write(path, {"URL" if kind != "no addresses" else "picture": ["x"] * 50})
        if kind == "truncated":
            _cut(path)
            expected = "cut short"
        elif kind == "damaged":
            body = bytearray(path.read_bytes())
            body[-30:-8] = b"\xff" * 22
            path.write_bytes(body)
            expected = "damaged Parquet"
    with pytest.raises(FormatError, match=expected) as error:
        list(laion.read_metadata(path))
    assert str(path) in str(error.value)
    if kind != "no addresses":
        assert [problem.where for problem in laion.scan(tmp_path).problems] == [path.name], "a folder lists it instead"


@settings(max_examples=60)
@given(body=st.binary(max_size=300), magic=st.booleans())
def test_any_bytes_given_as_parquet_are_refused_in_our_words(body: bytes, magic: bool, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.parquet"
    path.write_bytes(b"PAR1" + body + b"PAR1" if magic else body)
    with pytest.raises(FormatError):
        list(laion.read_metadata(path))


def test_a_damaged_page_is_a_problem_of_one_file_and_a_folder_that_spark_wrote_is_read(tmp_path: Path) -> None:
    urls = [f"http://a.example/{number * 7919}.jpg" for number in range(20_000)]
    damaged = write(tmp_path / "a.parquet", {"URL": urls})
    body = damaged.read_bytes()
    damaged.write_bytes(body[:2000] + b"\x91" * (len(body) - 6000) + body[-4000:])
    write(tmp_path / "b.parquet" / "part-00000.parquet", {"URL": urls[:3]})
    found = laion.scan(tmp_path)
    assert found.images == 3
    assert [problem.where for problem in found.problems if problem.kind == "not-parquet"] == ["a.parquet"]
    for paths in (str(tmp_path / "b*.parquet"), tmp_path / "b.parquet"):
        assert len(laion.read_metadata(paths)) == 3
    with pytest.raises(FormatError, match="nothing was asked"):
        laion.query(" ", tmp_path / "b.parquet")


def test_sql_sees_the_table_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"URL": ["x"]})
    other = write(tmp_path / "b.parquet", {"URL": ["y"]})
    for sql in (
        "SELECT nope FROM laion",
        "SELEKT",
        f"SELECT * FROM '{other}'",
        "SELECT * FROM 'http://127.0.0.1:9/x.parquet'",
        "INSTALL httpfs",
    ):
        with pytest.raises(FormatError, match="SQL over"):
            laion.query(sql, path)
    with pytest.raises(DataError, match="duckdb, spark"):
        laion.query("SELECT 1", path, engine="pandas")  # type: ignore[arg-type]
    with pytest.raises(MissingFileError):
        laion.read_metadata(tmp_path / "*.nothing")


@pytest.mark.java
def test_spark_gives_duckdbs_answers(tmp_path: Path) -> None:
    root = data_helpers.miniature("laion")
    for sql in (
        "SELECT count(*) AS n, count(language) AS tagged, sum(width) AS w, min(hash) AS h FROM laion",
        "SELECT language, count(*) AS n FROM laion GROUP BY language ORDER BY n DESC, language LIMIT 5",
        "SELECT url, caption, width FROM laion WHERE similarity > 0.36 AND width >= 512 ORDER BY url, caption LIMIT 20",
    ):
        one, two = laion.query(sql, root), laion.query(sql, root, engine="spark", master="local[2]")
        assert one == two and one and list(one[0].keys()) == list(two[0].keys())
    with pytest.raises(FormatError, match="Spark SQL"):
        laion.query("SELECT nope FROM laion", root, engine="spark", master="local[2]")
    # A date where a number should be is null on both, and a damaged file is an error in our words.
    odd = write(tmp_path / "a.parquet", {"url": ["u"], "width": pa.array([20_000], pa.date32())})
    sql = "SELECT url, width FROM laion"
    assert laion.query(sql, odd) == laion.query(sql, odd, engine="spark", master="local[2]") == [("u", None)]
    odd.write_bytes(b"PAR1" * 10)
    with pytest.raises(FormatError, match=r"a\.parquet"):
        laion.query(sql, odd, engine="spark", master="local[2]")


@pytest.mark.real
def test_real_slices_are_read_and_pointers_recognised(real: Path) -> None:
    folder = real / "laion"
    for path in sorted(folder.rglob("*.parquet")):
        if path.read_bytes()[:4] == b"PAR1":
            stored = parquet.read_table(path)
            table = laion.read_metadata(path)
            assert len(table) == stored.num_rows
            url = next(name for name in stored.column_names if name.lower() == "url")
            assert [row.url for row in table] == stored[url].to_pylist()
        else:
            with pytest.raises(FormatError, match=r"Git LFS pointer to a file of \d+ bytes"):
                laion.read_metadata(path)
    pointers = sum(1 for path in folder.rglob("*.parquet") if path.read_bytes().startswith(b"version"))
    found = data_helpers.summary("laion", folder)
    assert sum(problem["kind"] == "git-lfs-pointer" for problem in found["problems"]) == pointers > 0
    assert found["images"] == found["labels"]["captions"] == 122


def test_the_card_adds_up() -> None:
    facts = {name: fact["value"] for name, fact in data_helpers.card("laion")["facts"].items()}
    tables = Path(data_helpers.__file__).parent / "cards" / "tables"
    bins = [float(line["english_millions"]) for line in csv.DictReader((tables / "laion-aesthetic.csv").open())]
    (other,) = [d for d in data_helpers.card("laion")["facts"]["pairs_2b_en"]["disagree"] if "histogram" in d["rule"]]
    assert round(sum(bins), 1) == other["value"] / 1e6
    matches = facts["matches_c3p"] + facts["matches_iwf"] + facts["matches_thiel"]
    assert [d["value"] for d in data_helpers.card("laion")["facts"]["links_removed"]["disagree"]] == [matches]
    optout = {line["table"]: line for line in csv.DictReader((tables / "laion-optout.csv").open())}[
        "relaion2B-en-research-safe"
    ]
    assert round(100 * int(optout["opted_out"]) / int(optout["addresses"]), 2) == facts["optout_share"]


# ---- downloads, against the miniature's own small web


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    root = data_helpers.miniature("laion") / "server"
    answers = json.loads((root / "answers.json").read_text(encoding="utf-8"))
    with Server(root, answers=answers) as server:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", server.url)
        yield server


def planted() -> dict[str, str]:
    lines = (data_helpers.miniature("laion") / "server" / "planted.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split("\t") for line in lines)


LIVING = "regexp_matches(url, '://(photos|shop|blog|copies|expired|optout|moved|closed|parked|broken|loop)\\.example')"


def test_every_planted_outcome_is_met_and_told(web: Server, tmp_path: Path) -> None:
    root = data_helpers.miniature("laion")
    call: dict[str, Any] = {"allow_private": True, "where": LIVING, "rate": 0, "retries": 0, "timeout": 5}
    report = laion.download(root, tmp_path / "out", **call)
    expected: dict[str, int] = {}
    for outcome in planted().values():
        kind = outcome.split(",")[0]
        expected[kind] = expected.get(kind, 0) + 1
    assert report.outcomes == expected and report.succeeded == expected["saved"]
    samples = [sample for sample in data_helpers.read("laion", tmp_path / "out") if sample.image]
    assert len(samples) == report.succeeded
    assert {sample.source_url for sample in samples} == {
        url for url, what in planted().items() if what.startswith("saved")
    }
    # Called again, nothing is asked for again and nothing is lost.
    asked = len(web.requests)
    assert laion.download(root, tmp_path / "out", **call).outcomes == expected
    assert len(web.requests) == asked
    agents = {request.headers["User-Agent"] for request in web.requests}
    assert all("image-datasets-book" in agent for agent in agents)


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_other_forms_of_output(form: Any, web: Server, tmp_path: Path) -> None:
    root = data_helpers.miniature("laion")
    where = "url LIKE 'http://photos.example/whole/%'"
    report = laion.download(root, tmp_path / "out", allow_private=True, where=where, output_format=form, rate=0)
    assert report.total == report.succeeded > 0
    assert list((tmp_path / "out").glob("*.tar" if form == "webdataset" else "*.parquet"))


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path) -> None:
    urls = [
        "http://127.0.0.1:9/x.jpg",
        "http://[::1]/x.jpg",
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest",
        "http://localhost/x",
        "http://0.0.0.0/x",
        "file:///etc/passwd",
        "http://[::ffff:127.0.0.1]/x",
    ]
    table = write(tmp_path / "t.parquet", {"url": urls, "caption": ["c"] * len(urls)})
    report = laion.download(table, tmp_path / "out", rate=0, retries=0, timeout=2)
    assert report.outcomes == {"private address": len(urls) - 1, "not a web address": 1}


def test_a_redirect_does_not_lead_into_a_private_network(tmp_path: Path) -> None:
    policy = Policy(user_agent="t", contact="", allow_private=False, timeout=2, retries=0, rate=0, max_bytes=10**6)
    for host in ("127.0.0.1", "192.168.1.1", "::1", "100.64.0.1", "224.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"):
        with pytest.raises(Refused, match="private address"):
            public_address(host, 80, policy.allow_private)
    with pytest.raises(Refused, match="scheme"):
        Visitor(policy, set()).get("ftp://a.example/x")


OPT_OUTS = {
    "noai, noimageai": "opted out",
    "nofollow, NOAI": "opted out",
    "none": "opted out",
    "img2dataset: noai": "opted out",
    "otherbot: noai": "saved",
    "unavailable_after: 25 Jun 2030 15:00:00 PST": "saved",
    # One header may hold the rules for several visitors, and settings that have a colon of their own.
    "noai, otherbot: noindex": "opted out",
    "otherbot: noindex, img2dataset: noai": "opted out",
    "otherbot: noindex, noai": "saved",
    "max-snippet:0, noindex": "opted out",
}


def test_opt_outs_in_all_their_spellings_and_addresses_of_every_script(tmp_path: Path) -> None:
    served = data_helpers.miniature("laion") / "server" / "photos.example" / "whole"
    picture = next(served.glob("*.jpg")).read_bytes()
    (tmp_path / "web").mkdir()
    answers = {f"{n}.jpg": {"headers": {"X-Robots-Tag": value}} for n, value in enumerate(OPT_OUTS)}
    for name in [*answers, "späte Blüte.jpg"]:
        (tmp_path / "web" / name).write_bytes(picture)
    with Server(tmp_path / "web", answers=answers) as server:
        urls = [f"{server.url}{name}" for name in [*answers, "späte Blüte.jpg"]]
        table = write(tmp_path / "t.parquet", {"url": urls, "caption": ["c"] * len(urls)})
        report = laion.download(table, tmp_path / "out", allow_private=True, rate=0, retries=0, timeout=5)
    told = [*OPT_OUTS.values(), "saved"]
    assert report.outcomes == {kind: told.count(kind) for kind in set(told)}


@contextlib.contextmanager
def pictures(folder: Path, answers: dict[str, Any] | None = None) -> Iterator[Server]:
    """Serve two pictures, a.jpg and b.jpg, and what ``answers`` says of other addresses."""
    served = data_helpers.miniature("laion") / "server" / "photos.example" / "whole"
    folder.mkdir()
    for name, path in zip(("a.jpg", "b.jpg"), sorted(served.glob("*.jpg")), strict=False):
        shutil.copy(path, folder / name)
    with Server(folder, answers=answers or {}) as server:
        yield server


def test_each_row_is_checked_by_its_own_hash(tmp_path: Path) -> None:
    with pictures(tmp_path / "web") as server:
        right = hashlib.sha256((tmp_path / "web" / "a.jpg").read_bytes()).hexdigest()
        # b.jpg stands twice, with a hash that is not its own and without; an empty text is no hash.
        rows = [("a", right), ("a", f" {right.upper()} "), ("a", ""), ("b", right), ("b", None)]
        columns = {"url": [f"{server.url}{name}.jpg" for name, _ in rows], "sha256": [digest for _, digest in rows]}
        report = laion.download(write(tmp_path / "t.parquet", columns), tmp_path / "out", allow_private=True, rate=0)
    assert report.outcomes == {"saved": 4, "hash differs": 1}


@pytest.mark.parametrize("agent", ["*", "img2dataset", "image-datasets-book"])
def test_robots_txt_holds_behind_a_redirect_and_under_both_our_names(agent: str, tmp_path: Path) -> None:
    moved = {"moved.jpg": {"status": 302, "headers": {"Location": "/a.jpg"}}}
    with pictures(tmp_path / "web", moved) as server:
        (tmp_path / "web" / "robots.txt").write_text(f"User-agent: {agent}\nDisallow: /a.jpg\n")
        table = write(tmp_path / "t.parquet", {"url": [f"{server.url}{name}.jpg" for name in ("a", "b", "moved")]})
        report = laion.download(table, tmp_path / "out", allow_private=True, rate=0, retries=0, timeout=5)
        assert not [request for request in server.requests if request.path == "/a.jpg"]
    assert report.outcomes == {"refused by robots.txt": 2, "saved": 1}


def test_finished_pictures_of_other_rows_do_not_pass_for_the_wanted_ones(tmp_path: Path) -> None:
    with pictures(tmp_path / "web") as server:
        urls = [f"{server.url}{name}.jpg?{n}" for n in range(3) for name in "ab"]
        table = write(tmp_path / "t.parquet", {"url": urls})

        def get(**more: Any) -> int:
            call: dict[str, Any] = {"allow_private": True, "rate": 0, "shard_size": 2, **more}
            return laion.download(table, tmp_path / "out", **call).succeeded

        assert get(limit=4) == 4
        with pytest.raises(DataError, match="another list"):
            get(where="url LIKE '%b.jpg%'")
        with pytest.raises(DataError, match="another list"):
            get(limit=2)
        assert get() == 6, "more of the same list is a download that goes on"
        with pytest.raises(DataError, match="no row"):
            get(where="false")
        with pytest.raises(UnknownNameError, match="webdataset"):
            get(output_format="zip")
        # What a kill leaves of a shard's table does not hide the others.
        (tmp_path / "out" / "00003.parquet").write_bytes(b"PAR1")
        assert laion.report(tmp_path / "out").total == 6


def test_a_condition_that_is_no_sql_and_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    table = write(tmp_path / "t.parquet", {"url": ["http://127.0.0.1:9/x"]})
    with pytest.raises(FormatError, match="where="):
        laion.download(table, tmp_path / "out", where="widht > ")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        laion.download(table, tmp_path / "file" / "below")
    with pytest.raises(MissingFileError):
        laion.report(tmp_path / "nowhere")


@pytest.mark.java
def test_spark_spreads_a_download(web: Server, tmp_path: Path) -> None:
    root = data_helpers.miniature("laion")
    where = "url LIKE 'http://shop.example/whole/%'"
    report = laion.download(root, tmp_path / "out", allow_private=True, where=where, distributor="pyspark", rate=0)
    assert report.total == report.succeeded > 0


def test_no_network_is_asked_by_anything_but_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_HELPERS_OFFLINE", "1")
    root = tmp_path / "copy"
    shutil.copytree(data_helpers.miniature("laion"), root, ignore=shutil.ignore_patterns("server"))
    assert sum(1 for _ in data_helpers.read("laion", root)) == data_helpers.summary("laion", root)["images"]
    with pytest.raises(DataError, match="DATA_HELPERS_OFFLINE"):
        laion.download(root, tmp_path / "out")
