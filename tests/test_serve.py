from __future__ import annotations

import gzip
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_helpers.errors import MissingFileError, StorageError
from data_helpers.serve import Server, mirror


def get(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read(), dict(answer.headers.items())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers.items())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.example").mkdir()
    (tmp_path / "a.example" / "x.bin").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "page.html").write_text("<p>" + "words " * 400)
    return tmp_path


@settings(max_examples=40)
@given(first=st.integers(0, 1100), length=st.integers(1, 1100))
def test_any_range_is_the_slice(first: int, length: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("served")
    body = bytes(range(256)) * 4
    (root / "x.bin").write_bytes(body)
    with Server(root) as server:
        status, found, headers = get(server.url + "x.bin", Range=f"bytes={first}-{first + length - 1}")
        if first >= len(body):
            assert (status, headers["Content-Range"]) == (416, f"bytes */{len(body)}")
        else:
            assert status == 206 and found == body[first : first + length]
        assert get(server.url + "x.bin", Range=f"bytes=-{length}")[1] == body[-length:]


def test_validators(folder: Path) -> None:
    with Server(folder) as server:
        url = server.url + "a.example/x.bin"
        tag = get(url)[2]["ETag"]
        assert get(url, If_None_Match=tag)[0] == 304
        assert get(url, Range="bytes=5-9", If_Range=tag)[0] == 206
        assert get(url, Range="bytes=5-9", If_Range='"other"')[0] == 200


def test_text_is_compressed_and_folders_have_an_index(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "index.html").write_text("here")
    with Server(folder, answers={"a.example/moved": {"status": 302, "headers": {"Location": "/page.html"}}}) as server:
        _, body, headers = get(server.url + "page.html", Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip" and gzip.decompress(body) == (folder / "page.html").read_bytes()
        assert get(server.url + "sub")[1] == b"here"
        assert get(server.url + "a.example/moved")[1] == (folder / "page.html").read_bytes()
        for outside in ("../secret", "%2e%2e/secret", "a.example/../../secret", "nothing"):
            assert get(server.url + outside)[0] == 404
        assert [request.path for request in server.requests][:1] == ["/page.html"]


def test_as_a_proxy_it_plays_every_host(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mirror(folder) as server:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": server.url}))
        with opener.open("http://a.example/x.bin", timeout=5) as answer:
            assert answer.read() == bytes(range(256)) * 4


def test_what_cannot_be_served_is_told(folder: Path) -> None:
    with pytest.raises(MissingFileError, match="no folder to serve"):
        Server(folder / "nowhere")
    with Server(folder) as server:
        port = int(server.url.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(StorageError, match="another port"):
            Server(folder, port=port)
