"""What a folder holds, by its own files: complete, in part, altered, a known variant, somebody else's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import data_helpers
from data_helpers.errors import MissingFileError

MINIATURES = Path(data_helpers.__file__).parent / "miniatures"
STEMS = [stem for stem in data_helpers.list_datasets() if (MINIATURES / f"{stem}.zip").is_file()]


@pytest.mark.parametrize("stem", STEMS)
def test_a_miniature_is_known_wherever_it_is_copied(stem: str, tmp_path: Path) -> None:
    copy = shutil.copytree(data_helpers.miniature(stem), tmp_path / "some folder")
    found = data_helpers.identify(copy)
    assert (found["dataset"], found["tier"], found["altered"]) == (stem, "miniature", [])
    assert found["release"] and found["splits"] == data_helpers.summary(stem, copy)["splits"]
    assert any("miniature" in note for note in found["notes"])


def test_a_folder_with_a_miniature_inside_is_not_taken_for_the_full_dataset(tmp_path: Path) -> None:
    shutil.copytree(data_helpers.miniature("coco"), tmp_path / "downloads" / "coco")
    found = data_helpers.identify(tmp_path / "downloads")
    assert (found["dataset"], found["tier"]) == ("coco", "miniature")
    (tmp_path / "downloads" / "mine.txt").write_text("more")
    mixed = data_helpers.identify(tmp_path / "downloads")
    assert mixed["tier"] == "full" and any("A miniature lies in coco" in note for note in mixed["notes"])


@pytest.mark.parametrize("stem", STEMS)
def test_what_is_missing_is_told(stem: str, tmp_path: Path) -> None:
    copy = shutil.copytree(data_helpers.miniature(stem), tmp_path / "copy")
    pictures = sorted(path for path in copy.rglob("*.jpg"))
    before = data_helpers.summary(stem, copy)
    if not pictures or before["images"] == before["images_on_disk"] == 0:
        pytest.skip("no pictures of its own")
    found = data_helpers.identify(copy)
    assert isinstance(found["missing"], list)
    for path in pictures:
        path.unlink()
    less = data_helpers.identify(copy)
    assert len(less["missing"]) >= len(found["missing"])
    assert less["dataset"] == stem


@pytest.mark.real
@pytest.mark.parametrize(
    ("place", "stem", "release"),
    [
        ("coco/Obmutescence_COCO-MINI", "coco", "2017"),
        ("coco/openvinotoolkit_datumaro/tests/assets/coco_dataset/coco", "coco", "COCO"),
    ],
)
def test_real_folders(place: str, stem: str, release: str, real: Path) -> None:
    found = data_helpers.identify(real / place)
    assert found["dataset"] == stem and release in found["release"]
    assert found["splits"]


def test_published_files_and_members_are_known_by_their_hash(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card of ours with hashes of our own: published, a variant with its note, and altered."""
    import hashlib

    root = shutil.copytree(data_helpers.miniature("flickr8k"), tmp_path / "root")
    (root / "MINIATURE.txt").unlink()
    text = (Path(data_helpers.__file__).parent / "cards" / "flickr8k.toml").read_text(encoding="utf-8")
    names = ("Flickr8k.token.txt", "Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt")
    places = {name: next(root.rglob(name)) for name in names}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in places.items()}
    head, _, _ = text.partition("[[extra.members]]")
    members = "".join(
        f'[[extra.members]]\nname = "{name}"\nsha256 = "{hashes[name] if name != names[1] else "0" * 64}"\n'
        + (f'variants = [{{sha256 = "{hashes[name]}", note = "cleaned by somebody"}}]\n' if name == names[1] else "")
        for name in names
    )
    import tomllib

    if "members" in tomllib.loads(head).get("extra", {}):
        head = "\n".join(line for line in head.splitlines() if not line.startswith("members"))
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "flickr8k.toml").write_text(_without_members(text) + "\n" + members, encoding="utf-8")
    monkeypatch.setenv("DATA_HELPERS_CARDS", str(folder))
    places[names[2]].write_bytes(places[names[2]].read_bytes() + b"\n")
    found = data_helpers.identify(root)
    assert found["dataset"] == "flickr8k" and found["tier"] == "full"
    assert [found["files"][name] for name in names] == ["published", "variant", "altered"]
    assert found["variants"] == [f"{names[1]}: cleaned by somebody"]
    assert [line.split(":")[0] for line in found["altered"]] == [names[2]]


def _without_members(text: str) -> str:
    """Drop the members that the shipped card lists, in whichever way TOML allows to write them."""
    import re

    text = re.sub(r"(?ms)^members = \[.*?^\]\n", "", text)
    return re.sub(r"(?ms)^\[\[extra\.members\]\].*?(?=^\[|\Z)", "", text)


def test_a_strange_or_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="empty"):
        data_helpers.identify(tmp_path)
    (tmp_path / "letter.txt").write_text("dear")
    found = data_helpers.identify(tmp_path)
    assert found["dataset"] is None and "coco" in found["notes"][0]
    with pytest.raises(MissingFileError, match="expected a folder"):
        data_helpers.identify(tmp_path / "letter.txt")
