"""Zips by their directory, near and far; archives that strangers made."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_helpers.errors import ArchiveError, DataError, NetworkError
from data_helpers.files import Part, extract, fetch_parts
from data_helpers.remote import GAP, NoRanges, RemoteFile, RemoteZip, Source, Wanted, tries, web, zips
from data_helpers.serve import Server

from . import faults


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tries, "WAIT", 0.005)
    # Only a fault that stalls is waited out; a busy machine is slow as well, and what it sends late would come twice.
    monkeypatch.setenv("DATA_HELPERS_TIMEOUT", "0.3" if "stall" in request.node.name else "20")
    yield
    web.forget()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    (tmp_path / "site" / "z.example").mkdir(parents=True)
    with Server(tmp_path / "site") as running:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", running.url)
        yield running


URL = "http://z.example/a.zip"


def place(server: Server) -> Path:
    return server.folder / "z.example" / "a.zip"


def make(members: dict[str, bytes], **options: object) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            with archive.open(name, "w", force_zip64=bool(options.get("large"))) as file:
                file.write(body)
        archive.comment = str(options.get("comment", "")).encode()
    return made.getvalue()


def source(**fields: object) -> Source:
    return Source(**{"name": "a.zip", "urls": (URL,)} | fields)  # type: ignore[arg-type]


NAMES = st.text("abcdefgh/äß", min_size=1, max_size=9).filter(
    lambda name: not name.startswith("/") and not name.endswith("/") and "//" not in name
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.binary(max_size=3000), min_size=1, max_size=8), st.booleans(), st.text(max_size=9))
def test_members_of_any_zip(server: Server, tmp_path: Path, members: dict[str, bytes], large: bool, note: str) -> None:
    members = {f"{number}{name}": body for number, (name, body) in enumerate(members.items())}
    limit = zipfile.ZIP64_LIMIT
    try:
        # With the limit at nothing the library writes 64-bit sizes and places everywhere.
        zipfile.ZIP64_LIMIT = 0 if large else limit
        place(server).write_bytes(make(members, comment=note, large=large))
    finally:
        zipfile.ZIP64_LIMIT = limit
    archive = RemoteZip(source())
    wanted = [
        Wanted(member, tmp_path / "out" / hashlib.md5(member.name.encode()).hexdigest()) for member in archive.members
    ]
    assert [member.name for member in archive.members] == list(members)
    for group in archive.groups(wanted):
        for path, (size, sha256) in archive.fetch(group).items():
            name = next(one.member.name for one in wanted if one.target == path)
            assert path.read_bytes() == members[name] and size == len(members[name])
            assert sha256 == hashlib.sha256(members[name]).hexdigest()


def test_only_the_bytes_needed_move(server: Server, tmp_path: Path) -> None:
    rng = random.Random(0)
    members = {f"list_{n}.json": rng.randbytes(700_000) for n in range(6)}
    place(server).write_bytes(make(members))
    one = Part(name="annotations/x.json", urls=(URL,), member="list_3.json", whole=place(server).stat().st_size)
    fetch_parts([one], tmp_path / "root")
    assert (tmp_path / "root/annotations/x.json").read_bytes() == members["list_3.json"]
    assert server.sent < 700_000 * 1.03 and len(server.requests) == 3
    asked = len(server.requests)
    fetch_parts([one], tmp_path / "root")
    assert len(server.requests) == asked, "what is recorded is not looked for"


def test_neighbours_come_together_and_a_gap_parts_them(server: Server, tmp_path: Path) -> None:
    rng = random.Random(0)
    members = {f"{n}.jpg": rng.randbytes(500 if n != 5 else GAP + 5000) for n in range(10)}
    place(server).write_bytes(make(members))
    archive = RemoteZip(source())
    wanted = [Wanted(archive.member(f"{n}.jpg"), tmp_path / f"{n}.jpg") for n in (9, 0, 2, 4, 6)]
    groups = archive.groups(wanted)
    assert [[one.member.name for one in group] for group in groups] == [["0.jpg", "2.jpg", "4.jpg"], ["6.jpg", "9.jpg"]]
    for group in groups:
        archive.fetch(group)
    assert all((tmp_path / f"{n}.jpg").read_bytes() == members[f"{n}.jpg"] for n in (0, 2, 4, 6, 9))


@pytest.mark.parametrize("name", faults.NAMES)
def test_each_fault_while_a_member_comes(name: str, server: Server, tmp_path: Path) -> None:
    member = random.Random(1).randbytes(120_000)
    place(server).write_bytes(make({"x.json": member, "y.json": b"{}" * 9000}))
    server.fault = faults.fault(name)
    part = Part(name="x.json", urls=(URL,), member="x.json", whole=place(server).stat().st_size)
    root = tmp_path / "root"
    try:
        fetch_parts([part], root)
    except DataError as error:
        assert name in faults.INCURABLE or "range" in name or "Content-Length" in name or "gzip" in name, str(error)
        assert "a.zip" in str(error) and not (root / "x.json").exists()
        server.fault = None
        fetch_parts([part], root)
    assert (root / "x.json").read_bytes() == member


def test_without_ranges_the_whole_archive_comes_within_the_budget(server: Server, tmp_path: Path) -> None:
    members = {"annotations/x.json": b"[1]" * 1000, "annotations/y.json": b"[2]"}
    place(server).write_bytes(make(members))
    server.fault = lambda handler, path: (handler.headers.__delitem__("Range"), False)[1]
    with pytest.raises(NoRanges, match="byte ranges"):
        RemoteZip(source())
    part = Part(name="annotations/x.json", urls=(URL,), member="annotations/x.json", whole=place(server).stat().st_size)
    fetch_parts([part], tmp_path / "root")
    assert (tmp_path / "root/annotations/x.json").read_bytes() == members["annotations/x.json"]
    assert not (tmp_path / "root/annotations/y.json").exists(), "only what was asked for is taken out of it"


def test_another_archive_than_the_published_one_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATA_HELPERS_MIRROR")
    here = f"{server.url}z.example/"
    place(server).write_bytes(make({"x.json": b"{}"}))
    (server.folder / "z.example" / "b.zip").write_bytes(make({"x.json": b"[1, 2, 3]"}))
    right = (server.folder / "z.example" / "b.zip").stat().st_size
    archive = RemoteZip(source(urls=(f"{here}a.zip", f"{here}b.zip"), bytes=right))
    archive.fetch([Wanted(archive.member("x.json"), tmp_path / "x.json")])
    assert (tmp_path / "x.json").read_bytes() == b"[1, 2, 3]"
    with pytest.raises(NetworkError, match=r"expected 999"):
        RemoteZip(source(urls=(f"{here}a.zip",), bytes=999))


def test_a_damaged_directory_on_the_first_mirror_is_read_from_the_second(server: Server, tmp_path: Path) -> None:
    good = make({"x.json": b"[1]" * 500, "y.json": b"{}"})
    other = server.folder / "y.example" / "a.zip"
    other.parent.mkdir()
    other.write_bytes(good)
    part = Part(name="x.json", urls=(URL, "http://y.example/a.zip"), member="x.json")
    broken = (
        good[:-30],
        good.replace(b"PK\x01\x02", b"PK\x01\x03"),
        good.replace(b"x.json", b"z.json", 1)[:40] + good[40:],
    )
    for number, bad in enumerate(broken):
        place(server).write_bytes(bad)
        fetch_parts([part], tmp_path / f"root{number}")
        assert (tmp_path / f"root{number}" / "x.json").read_bytes() == b"[1]" * 500


def test_parquet_row_groups_come_by_range(server: Server) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    rng = random.Random(3)
    table = pyarrow.table({"url": [f"http://h/{rng.random()}" for _ in range(40_000)], "n": list(range(40_000))})
    path = server.folder / "z.example" / "t.parquet"
    parquet.write_table(table, path, row_group_size=4000)
    file = RemoteFile(source(name="t.parquet", urls=("http://z.example/t.parquet",)))
    read = parquet.ParquetFile(file).read_row_group(7, columns=["n"])
    assert read.column("n").to_pylist() == list(range(28_000, 32_000))
    assert server.sent < path.stat().st_size / 4


# ---- hostile and broken archives


def _entry(name: str, body: bytes, *, mode: int = 0o100644, **lies: int) -> tuple[bytes, bytes]:
    """Return a stored member's local part and its directory entry, with lies told in the directory."""
    crc = zlib.crc32(body)
    raw = name.encode()
    local = (
        struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0x800, 0, 0, 0, crc, len(body), len(body), len(raw), 0) + raw + body
    )
    packed, size = lies.get("packed", len(body)), lies.get("size", len(body))
    central = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 0x031E, 20, 0x800, 0, 0, 0, lies.get("crc", crc), packed, size, len(raw),
        0, 0, 0, 0, mode << 16, lies.get("start", 0),
    )  # fmt: skip
    return local, central + raw


def craft(*entries: tuple[str, bytes, dict[str, int]], count: int | None = None) -> bytes:
    data, directory = b"", b""
    for name, body, more in entries:
        local, central = _entry(name, body, **{"start": len(data)} | more)
        data, directory = data + local, directory + central
    n = len(entries) if count is None else count
    return data + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, n, n, len(directory), len(data), 0)


def tar(*entries: tuple[str, bytes | None, dict[str, object]], mode: str = "w") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, body, more in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(body or b"")
            for key, value in more.items():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(body) if body is not None else None)
    return made.getvalue()


LINK, HARD, DEVICE, PIPE = (
    {"type": kind, "linkname": goal}
    for kind, goal in (
        (tarfile.SYMTYPE, "/etc"),
        (tarfile.LNKTYPE, "../../secret"),
        (tarfile.CHRTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    )
)
SOUND = make({"a.txt": b"alpha" * 100, "b/c.txt": b"gamma"})
SYMLINK = 0o120777
HOSTILE: dict[str, tuple[bytes, str]] = {
    "zip: path upwards": (craft(("../evil", b"x", {})), "outside"),
    "zip: path upwards inside": (craft(("a/../../evil", b"x", {})), "outside"),
    "zip: absolute path": (craft(("/evil", b"x", {})), "outside"),
    "zip: drive": (craft(("C:/evil", b"x", {})), "outside"),
    "zip: backslash": (craft(("..\\evil", b"x", {})), "outside"),
    "zip: zero byte": (craft(("a\0b", b"x", {})), "outside"),
    "zip: link out": (craft(("out", b"/etc", {"mode": SYMLINK})), "link"),
    "zip: link out, then through it": (craft(("out", b"/tmp", {"mode": SYMLINK}), ("out/evil", b"x", {})), "link"),
    "zip: device": (craft(("dev", b"", {"mode": 0o020666})), "device"),
    "zip: same name twice": (craft(("a", b"1", {}), ("a", b"2", {})), "twice"),
    "zip: names differ by case": (craft(("a/B", b"1", {}), ("A/c", b"2", {})), "case alone"),
    "zip: file and folder": (craft(("a", b"1", {}), ("a/b", b"2", {})), "as file and as folder"),
    "zip: a million entries": (craft(("a", b"1", {}), count=0xFFFE), "directory"),
    "zip: two share bytes": (craft(("a", b"1" * 99, {}), ("b", b"1" * 99, {"start": 0})), "lie"),
    "zip: size too small": (craft(("a", b"x" * 99, {"size": 10})), "more than"),
    "zip: size too big": (craft(("a", b"x" * 99, {"size": 2**31})), "more than|cut short"),
    "zip: a little too big": (craft(("a", b"x" * 99, {"size": 150})), "cut short"),
    "zip: packed size too big": (craft(("a", b"x" * 99, {"packed": 10**6})), "lie"),
    "zip: wrong CRC": (craft(("a", b"x", {"crc": 7})), "CRC-32"),
    "zip: elsewhere": (craft(("a", b"x" * 99, {"start": 5})), "not where|lie"),
    "zip: cut in the middle": (SOUND[: len(SOUND) // 2], "no directory"),
    "zip: cut directory": (SOUND[:-30], "no directory"),
    "zip: bomb": (make({"zeros": bytes(80_000_000)}), "unpacks to more"),
    "tar: path upwards": (tar(("../evil", b"x", {})), "outside"),
    "tar: absolute path": (tar(("/evil", b"x", {})), "outside"),
    "tar: link out": (tar(("out", None, LINK)), "link"),
    "tar: link out, then through it": (tar(("out", None, LINK), ("out/evil", b"x", {})), "link"),
    "tar: hard link out": (tar(("out", None, HARD), ("out", b"x", {})), "link"),
    "tar: device": (tar(("dev", None, DEVICE)), "device"),
    "tar: pipe": (tar(("pipe", None, PIPE)), "device|special"),
    "tar: same name twice": (tar(("a", b"1", {}), ("a", b"2", {})), "twice"),
    "tar: names differ by case": (tar(("a", b"1", {}), ("A", b"2", {})), "case alone"),
    "tar: cut in a file": (tar(("a", b"x" * 9000, {}))[:5000], "cut short"),
    "tar: cut between files": (tar(("a", b"x" * 512, {}), ("b", b"y" * 512, {}))[:1024], "cut short"),
    "tgz: cut": (tar(("a", random.Random(0).randbytes(90_000), {}), mode="w:gz")[:-4000], "cut short"),
    "tgz: cut in the check sum": (tar(("a", b"x" * 9, {}), mode="w:gz")[:-5], "cut short"),
    "tgz: bomb": (tar(("a", bytes(80_000_000), {}), mode="w:gz"), "unpacks to more"),
    "tgz: damaged": (tar(("a", b"x" * 9000, {}), mode="w:gz")[:40] + b"\0" * 60, "cut short"),
    "no archive": (b"<html>sign in</html>" * 99, "no archive"),
    "nothing": (b"", "cut short|no archive"),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_and_broken_archives_leave_nothing(name: str, tmp_path: Path) -> None:
    body, says = HOSTILE[name]
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "a.bin").write_bytes(body)
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(ArchiveError, match=says) as told:
        extract(tmp_path / "a.bin", tmp_path / "out" / "in")
    assert "a.bin" in str(told.value)
    after = sorted(path for path in tmp_path.rglob("*") if path not in (tmp_path / "out", tmp_path / "out" / "in"))
    assert after == before and (tmp_path / "secret").read_text() == "mine"


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_entries_and_bytes_are_bounded(kind: str, tmp_path: Path) -> None:
    names = {f"{n}": b"1234" for n in range(20)}
    body = make(names) if kind == "zip" else tar(*((name, data, {}) for name, data in names.items()))
    (tmp_path / "a").write_bytes(body)
    with pytest.raises(ArchiveError, match="entries"):
        extract(tmp_path / "a", tmp_path / "out", max_entries=19)
    with pytest.raises(ArchiveError, match="unpacks to more than 79"):
        extract(tmp_path / "a", tmp_path / "out", max_bytes=79)
    assert len(extract(tmp_path / "a", tmp_path / "out", max_entries=20, max_bytes=80)) == 20


def test_a_directory_that_counts_a_million_is_refused_unread() -> None:
    asked = []

    def read_at(first: int, count: int) -> bytes:
        asked.append(count)
        end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**6, 10**6, 46 * 10**6, 0)
        end += struct.pack("<4sLQL", b"PK\x06\x07", 0, 10**9, 1)
        return end + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)

    with pytest.raises(ArchiveError, match=r"1,000,000 entries|zip64"):
        zips.directory(read_at, 10**9 + 98, "a.zip", tail=98)
    assert sum(asked) < 10**6


def test_a_link_that_lies_in_the_way_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(make({"sub/x": b"x"}))
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArchiveError, match="link"):
        extract(tmp_path / "a.zip", tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_sound_tars_come_out_whole(mode: str, tmp_path: Path) -> None:
    inner = {"type": tarfile.SYMTYPE, "linkname": "../a.txt"}
    body = tar(
        ("./a.txt", b"alpha", {}), ("sub/", None, {"type": tarfile.DIRTYPE}), ("sub/link", None, inner), mode=mode
    )
    (tmp_path / "a").write_bytes(body)
    made = extract(tmp_path / "a", tmp_path / "out")
    assert made == {"a.txt": 5, "sub/link": 5}
    assert (tmp_path / "out/sub/link").read_bytes() == b"alpha" and not (tmp_path / "out/sub/link").is_symlink()


@settings(max_examples=80)
@given(at=st.integers(0, len(SOUND) - 1), value=st.integers(0, 255))
def test_a_changed_byte_never_makes_another_file(at: int, value: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("changed")
    (root / "a.zip").write_bytes(SOUND[:at] + bytes([value]) + SOUND[at + 1 :])
    try:
        extract(root / "a.zip", root / "out")
    except ArchiveError:
        return
    found = {path.read_bytes() for path in (root / "out").rglob("*") if path.is_file()}
    assert found <= {b"alpha" * 100, b"gamma"}
