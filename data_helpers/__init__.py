"""Get, read and explore the image datasets of the book *Image Datasets for Deep Learning*.

Importing this package loads neither FiftyOne nor Matplotlib nor anything that speaks to the network. Every function
here has a twin on the command line: ``python -m data_helpers --help``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

# A function below may bear the name of the module it comes from. Loading the module first keeps the function's name
# from being overwritten by the import system at a later time.
from . import doctor as _doctor
from . import identify as _identify
from . import miniature as _miniature
from . import roots as _roots
from .cards import card, list_datasets, parsed
from .errors import DataError
from .samples import Problem, Sample, Selection, Tier, whole

if TYPE_CHECKING:
    from .files import Plan
    from .show import Gallery

__all__ = [
    "DataError",
    "Problem",
    "Sample",
    "Samples",
    "adopt",
    "card",
    "doctor",
    "explore",
    "fetch",
    "gallery",
    "identify",
    "list_datasets",
    "miniature",
    "mirror",
    "plan",
    "read",
    "summary",
    "to_fiftyone",
]

Names = str | Sequence[str] | None
Root = str | Path | None


class Samples(Iterator[Sample]):
    """Samples one after the other, and where they come from.

    Attributes
    ----------
    dataset
        The dataset's name.
    tier
        ``"miniature"``, ``"sample"`` or ``"full"``.
    root
        The folder that is read.
    """

    def __init__(self, dataset: str, tier: Tier, root: Path, samples: Iterator[Sample]) -> None:
        self.dataset, self.tier, self.root = dataset, tier, root
        # The first sample is read at once, so that a wrong argument or a broken file speaks up where the call stands.
        first = list(itertools.islice(samples, 1))
        self._samples = itertools.chain(first, samples)

    def __next__(self) -> Sample:
        return next(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        return self._samples

    def __repr__(self) -> str:
        return f"<samples of {self.dataset}, {self.tier}>"


def miniature(name: str) -> Path:
    """Unpack a dataset's tiny twin into the cache and return its folder.

    Raises
    ------
    UnknownNameError
        No dataset of that name.
    """
    return _miniature.miniature(name)


def plan(
    name: str,
    *,
    split: Names = None,
    max_samples: int | None = None,
    classes: Names = None,
    image_ids: Sequence[int | str] | None = None,
    label_types: Names = None,
    shuffle: bool = False,
    seed: int | None = None,
    root: Root = None,
) -> Plan:
    """Tell what `fetch` would get with the same arguments: files, bytes, mirrors and terms. Touches nothing.

    Parameters
    ----------
    name
        One of `list_datasets`.
    split, max_samples, classes, image_ids, label_types, shuffle, seed
        Which part; see `Selection`.
    root
        Folder that `fetch` would fill; what lies there already is not counted again.
    """
    want = _selection(split, max_samples, classes, image_ids, label_types, shuffle, seed)
    return _roots.plan(name, want, _roots.target(name, root))


def fetch(
    name: str,
    *,
    split: Names = None,
    max_samples: int | None = None,
    classes: Names = None,
    image_ids: Sequence[int | str] | None = None,
    label_types: Names = None,
    shuffle: bool = False,
    seed: int | None = None,
    root: Root = None,
    max_bytes: int | None = None,
    progress: bool | None = None,
) -> Path:
    """Fetch just the wanted part and return its folder, in the dataset's original layout.

    Parameters
    ----------
    name, split, max_samples, classes, image_ids, label_types, shuffle, seed
        As for `plan`.
    root
        Where to put it; by default a folder of the dataset's name in the cache.
    max_bytes
        Refuse to move more bytes than this.
    progress
        Show bytes, speed and time left on stderr; by default only where the fetch is long.

    Raises
    ------
    GatedError
        The owners hand the files out themselves; the message is the way to get them.
    BudgetError
        More bytes than ``max_bytes`` or the disk allow.
    NetworkError
        No mirror gave a file; the message tells what each one answered.
    """
    want = _selection(split, max_samples, classes, image_ids, label_types, shuffle, seed)
    target = _roots.target(name, root)
    _roots.fetch(name, want, target, max_bytes=whole("max_bytes", max_bytes), progress=progress)
    return target


def read(
    name: str,
    root: Root = None,
    *,
    split: Names = None,
    max_samples: int | None = None,
    classes: Names = None,
    image_ids: Sequence[int | str] | None = None,
    label_types: Names = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> Samples:
    """Iterate the samples of a dataset.

    Parameters
    ----------
    name
        One of `list_datasets`.
    root
        A folder in the dataset's original layout; ``"sample"`` for a bounded, announced piece of the real data; None
        for the folder that ``DATA_HELPERS_ROOT_<NAME>`` names or, without it, for the miniature.
    split, max_samples, classes, image_ids, label_types, shuffle, seed
        Which part; see `Selection`.

    Raises
    ------
    UnknownNameError
        A dataset, split, class or label type that does not exist.
    MissingFileError
        The folder is not there or holds nothing of this dataset.
    FormatError
        A file breaks its format; the message names file and place.
    """
    want = _selection(split, max_samples, classes, image_ids, label_types, shuffle, seed)
    folder, tier = _roots.resolve(name, root)
    return Samples(name, tier, folder, _roots.reader(name).read(folder, _roots.within(name, folder, tier, want)))


def summary(name: str, root: Root = None) -> dict[str, Any]:
    """Count a dataset's folder and list its problems, as plain data.

    Returns
    -------
    dict
        ``dataset, tier, root, images, images_on_disk, splits, labels, classes, problems``; a problem has ``kind``,
        ``where`` and ``detail``. Arguments and errors as for `read`.
    """
    folder, tier = _roots.resolve(name, root)
    found = _roots.reader(name).scan(folder)
    return {"dataset": name, "tier": tier, "root": str(folder), **msgspec.to_builtins(found)}


def identify(folder: str | Path) -> dict[str, Any]:
    """Tell which dataset, release and split a folder holds, and which files are missing or altered."""
    return _identify.identify(_roots.folder(folder))


def gallery(samples: Iterable[Sample], **options: Any) -> Gallery:
    """Draw pictures with their labels, licence and credit; shows itself in a notebook, ``str()`` gives the HTML."""
    from .show import gallery as draw

    return draw(samples, **options)


def to_fiftyone(samples: Iterable[Sample], name: str, **options: Any) -> Any:
    """Make a FiftyOne dataset of samples, with every label type, splits as tags.

    A dataset of that name is replaced only if this function made it.
    """
    from .app import to_fiftyone as make

    return make(samples, name, **options)


def explore(dataset: Any, **options: Any) -> Any:
    """Open FiftyOne's App on a dataset that `to_fiftyone` made, in Lab, Colab or a browser tab."""
    from .app import explore as show

    return show(dataset, **options)


def adopt(name: str, folder: str | Path) -> Path:
    """Check files the reader obtained from a dataset's owners against the card and take them into the cache.

    The reader's files stay where they are.

    Raises
    ------
    MissingFileError, ChecksumError
        A file is not there, or is not the one that was published.
    """
    from .files import adopt as take

    return take(parsed(name), _roots.folder(folder), _roots.target(name, None))


def mirror(folder: str | Path, host: str = "127.0.0.1", **options: Any) -> Any:
    """Serve fetched files as a classroom mirror; students set ``DATA_HELPERS_MIRROR`` to its address."""
    from .serve import mirror as serve

    return serve(_roots.folder(folder), host, **options)


def doctor(*, network: bool = False) -> list[dict[str, Any]]:
    """Check what works on this machine and say what to do about the rest.

    Parameters
    ----------
    network
        Also ask every mirror of every card whether it answers.
    """
    return _doctor.doctor(network=network)


def _selection(
    split: Names,
    max_samples: int | None,
    classes: Names,
    image_ids: Sequence[int | str] | None,
    label_types: Names,
    shuffle: bool,
    seed: int | None,
) -> Selection:
    return Selection(
        split=split,
        max_samples=max_samples,
        classes=classes,
        image_ids=image_ids,
        label_types=label_types,
        shuffle=shuffle,
        seed=seed,
    )
