"""Every notebook keeps the rules, gives the same outputs again, and runs on real data as it does on its miniature."""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import matplotlib
import nbformat
import numpy as np
import pytest

import data_helpers
from data_helpers import DataError, roots
from data_helpers.serve import Server

from .conftest import REAL, REPOSITORY
from .nbval_figures import difference
from .test_flickr_fetch import MEMBERS

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
LIMIT = 900


def tool(name: str) -> ModuleType:
    """Load a maintainer's script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", REPOSITORY / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


refresh, database = tool("refresh"), tool("database")


def load(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def stem_of(path: Path) -> str | None:
    """Return the dataset a notebook belongs to: ``coco-evaluation`` to ``coco``."""
    stem = path.stem.split("-")[0]
    return stem if stem in data_helpers.list_datasets() else None


@pytest.fixture(scope="session")
def database_uri() -> Iterator[str]:
    """Give the run's one MongoDB server."""
    with database.server(Path(os.environ["FIFTYONE_DATABASE_DIR"]) / "shared") as uri:
        yield uri


@pytest.fixture
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return a kernel's environment: the run's server where the notebook needs one, in a database of its own."""
    env: dict[str, str] = refresh.clean_environment(tmp_path)
    if request.cls.needs_database:
        env["FIFTYONE_DATABASE_URI"] = request.getfixturevalue("database_uri")
        env["FIFTYONE_DATABASE_NAME"] = re.sub(r"\W", "_", f"{request.cls.path.stem}_{request.node.name}")[:50]
    return env


class _Notebook:
    """The tests of one notebook; a class for each, so that notebooks run in parallel."""

    path: ClassVar[Path]
    needs_database: ClassVar[bool]

    def test_rules(self) -> None:
        found = refresh.problems(load(self.path), self.path, self.path.stat().st_size)
        assert not found, "\n".join([self.path.name, *found])

    def test_outputs_are_the_same_again(self, environment: dict[str, str]) -> None:
        """Run the notebook under nbval, strictly, and compare its figures too."""
        command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-x", "--color=no"]
        options = ["--nbval-sanitize-with", str(REPOSITORY / "tests" / "sanitize.cfg"), "--rootdir", str(REPOSITORY)]
        plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.nbval_figures", "-c", os.devnull]
        path = os.pathsep.join([str(REPOSITORY), environment.get("PYTHONPATH", "")])
        done = subprocess.run(
            [*command, *options, *plugins, str(self.path)],
            env=environment | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert re.search(r"\d+ passed", done.stdout)

    @pytest.mark.real
    def test_runs_on_real_folders(self, environment: dict[str, str], tmp_path: Path) -> None:
        """Run it, uncompared, on each real folder that its dataset's reader opens."""
        stem = stem_of(self.path)
        folders = real_folders(stem) if stem else []
        if not folders:
            pytest.skip("no real folder of this dataset at hand")
        # One kernel, emptied before each folder: to load FiftyOne takes longer than most of what a notebook does.
        book, parts = load(self.path), []
        for folder in folders:
            begin = f"%reset_selective -f ^[^_]\n%set_env DATA_HELPERS_ROOT_{str(stem).upper()}={folder}"
            parts.append([nbformat.v4.new_code_cell(begin), *copy.deepcopy(book.cells)])
        book.cells = [cell for part in parts for cell in part]
        refresh.run(book, self.path.parent, env=environment, keep_going=True)
        failures = []
        for folder, part in zip(folders, parts, strict=True):
            outputs = [output for cell in part if cell.cell_type == "code" for output in cell.outputs]
            # What failed first leaves the cells below it without their names.
            if error := next((output for output in outputs if output.output_type == "error"), None):
                plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
                failures.append(f"{folder.relative_to(REAL)}:\n{plain[-3000:]}")
        assert not failures, "\n".join(failures)

    def test_runs_on_a_fetched_sample(self, environment: dict[str, str], tmp_path: Path) -> None:
        """Run it, uncompared, on the sample that ``ROOT = "sample"`` fetches, from a server of our own."""
        stem = stem_of(self.path)
        if not stem or data_helpers.cards.parsed(stem).sample is None:
            pytest.skip("the card has no sample that may be fetched")
        more = HOSTS[stem](tmp_path / "hosts")
        book = load(self.path)
        root = next(cell for cell in book.cells if cell.id == "root")
        root.source, changed = re.subn(r"(?m)^ROOT = None\b", 'ROOT = "sample"', root.source)
        assert changed == 1
        with Server(tmp_path / "hosts") as running:
            own = {"DATA_HELPERS_MIRROR": running.url, "DATA_HELPERS_HOME": str(tmp_path / "home")}
            refresh.run(book, self.path.parent, env=environment | own | more)
        printed = "".join(output.get("text", "") for output in root.outputs)
        # A sample without pictures leaves a notebook that needs them with the miniature's, and it says so.
        printed = printed.partition("Too few pictures")[0]
        assert re.search(r"\bsample\b", printed) and "This is the miniature" not in printed


def coco_host(folder: Path) -> dict[str, str]:
    """Lay the miniature out as COCO's host does: lists in one remote archive, pictures one by one."""
    root, host = data_helpers.miniature("coco"), folder / "images.cocodataset.org"
    (host / "annotations").mkdir(parents=True)
    with zipfile.ZipFile(host / "annotations" / "annotations_trainval2017.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        for kind in ("instances", "person_keypoints", "captions"):
            for split in ("train2017", "val2017"):
                name = f"annotations/{kind}_{split}.json"
                bundle.write(root / name, name)
    shutil.copytree(root / "val2017", host / "val2017")
    return {}


def imagenet_host(folder: Path) -> dict[str, str]:
    """Serve an Imagenette of the miniature's pictures, under a card that knows its hash."""
    file = next(file for file in data_helpers.cards.parsed("imagenet").files if file.name == "imagenette2-160.tgz")
    target = folder / file.urls[0].partition("//")[2]
    target.parent.mkdir(parents=True)
    with tarfile.open(target, "w:gz") as bundle:
        for number, sample in enumerate(data_helpers.read("imagenet", max_samples=120)):
            if sample.image and sample.labels.get("classes"):
                wnid, split = sample.labels["classes"][0].wnid, "val" if number % 4 else "train"
                bundle.add(sample.image, f"imagenette2-160/{split}/{wnid}/{sample.image.name}")
    text = (data_helpers.cards.HERE / "imagenet.toml").read_text(encoding="utf-8")
    for old, new in (
        (file.sha256, hashlib.sha256(target.read_bytes()).hexdigest()),
        (file.md5, hashlib.md5(target.read_bytes()).hexdigest()),
        (str(file.bytes), str(target.stat().st_size)),
    ):
        text = text.replace(str(old), new)
    (folder.parent / "cards").mkdir()
    (folder.parent / "cards" / "imagenet.toml").write_text(text, encoding="utf-8")
    return {"DATA_HELPERS_CARDS": str(folder.parent / "cards")}


def card_host(stem: str, folder: Path) -> dict[str, str]:
    """Serve a miniature's files where the card says the dataset's own lie, under a card without the hashes of those."""
    root, archives = data_helpers.miniature(stem), MEMBERS.get(stem, {})
    names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file()]
    for file in data_helpers.cards.parsed(stem).files:
        if not file.urls or (file.name not in names and file.name not in archives):
            continue
        target = folder / file.urls[0].partition("//")[2]
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.name in names:
            shutil.copy(root / file.name, target)
            continue
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name in names:
                if re.fullmatch(archives[file.name], name):
                    bundle.write(root / name, name)
    text = (data_helpers.cards.HERE / f"{stem}.toml").read_text(encoding="utf-8")
    head, *files = text.split("[[files]]")
    files = [re.sub(r"(?m)^(?:md5|sha256|bytes|accept) = (?:\[[^]]*\]|.*)\n", "", file) for file in files]
    (folder.parent / "cards").mkdir()
    (folder.parent / "cards" / f"{stem}.toml").write_text("[[files]]".join([head, *files]), encoding="utf-8")
    return {"DATA_HELPERS_CARDS": str(folder.parent / "cards")}


# Every dataset whose card has a sample has the host here that its sample is fetched from.
HOSTS = {
    "coco": coco_host,
    "imagenet": imagenet_host,
    **{stem: functools.partial(card_host, stem) for stem in ("lfw", "flickr8k", "flickr30k")},
}


def real_folders(stem: str) -> list[Path]:
    """Return the folders of real files (one a repository they came from) that a dataset's reader opens."""
    candidates = sorted(path for path in REAL.glob(f"{stem}*/*") if path.is_dir())
    return [folder for folder in candidates if opens(stem, folder)]


def opens(stem: str, folder: Path) -> bool:
    """Tell whether a reader opens a folder: it may know it and refuse it, as LAION's refuses Git LFS pointers."""
    if not roots.reader(stem).recognise(folder):
        return False
    try:
        data_helpers.read(stem, folder, max_samples=1)
    except DataError:
        return False
    return True


def class_of(path: Path) -> type[_Notebook]:
    """Make the class that tests one notebook, marked with what it needs."""
    code = "\n".join(cell["source"] for cell in load(path).cells if cell["cell_type"] == "code")
    needs_database = re.search(r"\b(to_fiftyone|fiftyone)\b", code) is not None
    marks = [pytest.mark.notebook]
    if needs_database:
        marks.append(pytest.mark.database)
    if re.search(r"\b(pyspark|SparkSession|cluster)\b", code):
        marks.append(pytest.mark.java)
    body = {"path": path, "needs_database": needs_database, "__doc__": path.name, "pytestmark": marks}
    return type("Test" + re.sub(r"\W", "", path.stem.title()), (_Notebook,), body)


globals().update({made.__name__: made for made in map(class_of, NOTEBOOKS)})


def notebook(*cells: Any, **metadata: Any) -> Any:
    """Return a notebook that keeps every rule, with further cells behind its root cell."""
    contract = "# Title\n\nYou will learn much. Level: easy. 5 minutes, memory 1 GB, disk 0, bytes 0."
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    skipped = {"tags": ["nbval-skip", "remove-cell"]}
    book = nbformat.v4.new_notebook(
        cells=[
            text(contract, id="contract"),
            code("pass", id="setup", metadata=skipped),
            code('ROOT = None  # the miniature; "sample"; or a folder', id="root"),
            *cells,
            text("You saw it.", id="saw"),
            text("Do it.", id="exercise-1"),
            code("1 + 1", id="solution-1", metadata={"tags": ["solution", "hide-cell"]}),
            text("Go on.", id="next"),
        ],
        metadata=metadata,
    )
    count = 0
    for cell in book.cells:
        if cell.cell_type == "code" and "nbval-skip" not in cell.metadata.get("tags", []):
            count += 1
            cell.execution_count = count
    book.metadata["book"] = {"code": refresh.code_hash(book)}
    return book


def shown(cell_id: str = "shown", **data: Any) -> Any:
    """Return a code cell with one output."""
    output = nbformat.v4.new_output("display_data", data={key.replace("_", "/"): text for key, text in data.items()})
    return nbformat.v4.new_code_cell("1", id=cell_id, outputs=[output])


def streamed(name: str, text: str) -> Any:
    output = nbformat.v4.new_output("stream", name=name, text=text)
    return nbformat.v4.new_code_cell("1", id="shown", outputs=[output])


BREACHES = {
    "absolute path": shown(text_plain="PosixPath('/home/me/coco')"),
    "iframe": shown(text_html='<iframe src="http://127.0.0.1:5151"></iframe>'),
    "progress bar": streamed("stdout", "100%|████████| 50/50"),
    "stderr": streamed("stderr", "DeprecationWarning"),
    "no alternative text": shown(image_png="aGVsbG8="),
    "without alternative text": shown(text_html='<img src="data:image/webp;base64,aGVsbG8=">'),
    "object's address": shown(text_plain="<object at 0x7f00aabbccdd>"),
    "readable id": nbformat.v4.new_code_cell("1", id="1f2e3d4c"),
    "plain Markdown": nbformat.v4.new_markdown_cell("There are {fact}`coco.images` of them.", id="told"),
    "number": nbformat.v4.new_markdown_cell("There are 118,287 of them.", id="told"),
    "semicolon": nbformat.v4.new_code_cell("1;", id="shown"),
    "raised": nbformat.v4.new_code_cell(
        "1/0", id="shown", outputs=[nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="", traceback=[])]
    ),
    "behind its exercise": nbformat.v4.new_code_cell("1", id="shown", metadata={"tags": ["solution", "hide-cell"]}),
    "needs the tag nbval-skip": nbformat.v4.new_code_cell("dh.explore(dataset)", id="shown"),
    "its picture from figures": nbformat.v4.new_code_cell(
        "session = dh.explore(dataset)", id="shown", metadata={"tags": ["nbval-skip"]}
    ),
    "is not there": nbformat.v4.new_markdown_cell("![The App](figures/nowhere.webp)", id="told"),
}


@pytest.mark.parametrize("says", BREACHES)
def test_a_breach_is_named(says: str, tmp_path: Path) -> None:
    found = refresh.problems(notebook(copy.deepcopy(BREACHES[says])), tmp_path / "x.ipynb", 1000)
    assert any(says in problem for problem in found), found


def test_a_good_notebook_breaks_no_rule_and_a_stale_one_does(tmp_path: Path) -> None:
    good = notebook(nbformat.v4.new_markdown_cell("In 2017 there was `val2017`, 80 classes.", id="told"))
    path = tmp_path / "x.ipynb"
    assert refresh.problems(good, path, 1000) == []
    assert any("bytes" in problem for problem in refresh.problems(good, path, 600_000))
    stale = copy.deepcopy(good)
    stale.cells[2].source += "\nroot = 1"
    assert any("refresh.py" in problem for problem in refresh.problems(stale, path, 1000))
    unordered = copy.deepcopy(good)
    unordered.cells[2].execution_count = 7
    assert any("in order" in problem for problem in refresh.problems(unordered, path, 1000))


def test_refresh_stores_what_is_fit_and_leaves_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    book = notebook(nbformat.v4.new_code_cell("print(6 * 7)", id="answer"))
    nbformat.write(book, path)
    assert refresh.refresh(path) == []
    first = path.read_bytes()
    assert load(path).cells[3].outputs[0].text == "42\n"
    assert refresh.refresh(path) == [] and path.read_bytes() == first
    for broken in ("1 / 0", "import pathlib\nprint(pathlib.Path.home() / 'home' , '/home/me')"):
        book.cells[3].source = broken
        nbformat.write(book, path)
        before = path.read_bytes()
        assert refresh.refresh(path)
        assert path.read_bytes() == before


def figure(bars: list[float], font: str = "DejaVu Sans") -> str:
    import base64
    import io

    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.family": font}):
        drawn = Figure(figsize=(5, 3))
        drawn.subplots().bar(range(len(bars)), bars)
        store = io.BytesIO()
        drawn.savefig(store, format="png")
    return base64.b64encode(store.getvalue()).decode()


def test_figures_are_compared_by_eye() -> None:
    stored = figure([3, 1, 2])
    assert difference(stored, figure([3, 1, 2])) is None
    assert difference(stored, figure([3, 1, 2], "DejaVu Serif")) is None, "another font is the same figure"
    assert difference(stored, figure([3, 1, 1.6])), "a changed bar is another figure"
    assert difference(stored, figure([3, 1, 2, 2]))
    blank = np.full((300, 500, 3), 255, dtype=np.uint8)
    assert blank.mean() == 255


def test_learner_copies_hold_no_solution(tmp_path: Path) -> None:
    learner = tool("learner")
    source = tmp_path / "in"
    source.mkdir()
    nbformat.write(notebook(shown(text_plain="'kept'")), source / "x.ipynb")
    learner.strip_all(source, tmp_path / "out")
    book = load(tmp_path / "out" / "x.ipynb")
    names = [cell.id for cell in book.cells]
    assert "solution-1" not in names and names[names.index("exercise-1") + 1] == "yours-1"
    assert all(not cell.get("outputs") for cell in book.cells)


def test_mongod_is_one_for_all_users(tmp_path: Path) -> None:
    if database.executable() is None or os.environ.get("FIFTYONE_DATABASE_URI"):
        pytest.skip("no MongoDB server of our own")
    with database.server(tmp_path) as one, database.server(tmp_path) as other:
        assert one == other
        pid = int((tmp_path / "state").read_text().split()[2])
    assert not (tmp_path / "state").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
