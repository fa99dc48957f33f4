"""What FiftyOne's dataset zoo calls when this repository is its source: see ``fiftyone.yml``.

The book does not import this file. Everything is imported inside the functions, so that tools which meet a package
here (pytest does) pay nothing for it.
"""

import importlib.util
import sys
from pathlib import Path

SPLITS = {"train": "train2017", "validation": "val2017"}
LABEL_TYPES = {"detections": ["boxes"], "segmentations": ["boxes", "masks"]}


def download_and_prepare(
    dataset_dir,
    split=None,
    max_samples=None,
    classes=None,
    image_ids=None,
    label_types=None,
    shuffle=False,
    seed=None,
    max_bytes=None,
):
    """Fetch what is wanted of COCO into FiftyOne's folder; the arguments mean what they mean in ``data_helpers.fetch``.

    Returns
    -------
    tuple
        FiftyOne's: no dataset type (so that it calls `load_dataset`), the number of samples, no classes.
    """
    helpers = _helpers()
    want = _want(split, max_samples, classes, image_ids, label_types, shuffle, seed)
    root = helpers.fetch("coco", root=dataset_dir, max_bytes=max_bytes, **want)
    return None, sum(1 for _ in helpers.read("coco", root, **want)), None


def load_dataset(
    dataset,
    dataset_dir,
    split=None,
    max_samples=None,
    classes=None,
    image_ids=None,
    label_types=None,
    shuffle=False,
    seed=None,
):
    """Put the fetched samples into a FiftyOne dataset."""
    helpers = _helpers()
    from data_helpers.app import fill

    want = _want(split, max_samples, classes, image_ids, label_types, shuffle, seed)
    fill(dataset, helpers.read("coco", dataset_dir, **want))


def _want(split, max_samples, classes, image_ids, label_types, shuffle, seed):
    """Turn the zoo's names of splits and label types into COCO's."""
    if isinstance(label_types, str):
        label_types = [label_types]
    if label_types is not None:
        label_types = list(dict.fromkeys(ours for name in label_types for ours in LABEL_TYPES.get(name, [name])))
    return {
        "split": SPLITS.get(split, split) if split is not None else list(SPLITS.values()),
        "max_samples": max_samples,
        "classes": classes,
        "image_ids": image_ids,
        "label_types": label_types,
        "shuffle": shuffle,
        "seed": seed,
    }


def _helpers():
    """Import the package: the installed one, or the one that came along with this file."""
    if importlib.util.find_spec("data_helpers") is None:
        sys.path.insert(0, str(Path(__file__).resolve().parent))
    try:
        import data_helpers
    except ModuleNotFoundError as error:
        raise ImportError(f"{error.name} is missing. Type: pip install 'image-datasets-book[app]'") from error
    return data_helpers
