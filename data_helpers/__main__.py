"""Command line of ``data_helpers``: every public function as a verb, each with ``--json``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

import data_helpers
from data_helpers import verbs
from data_helpers.errors import DataError

EPILOG = """examples:
  python -m data_helpers list
  python -m data_helpers summary coco                      the miniature, no network
  python -m data_helpers gallery coco --output coco.html
  python -m data_helpers plan coco --split val2017 --max-samples 50
  python -m data_helpers fetch coco --split val2017 --max-samples 50 --root my-coco
  python -m data_helpers summary coco --root my-coco --json

environment:
  DATA_HELPERS_HOME        folder for fetched files           DATA_HELPERS_OFFLINE=1   never ask the network
  DATA_HELPERS_ROOT_COCO   your own copy of COCO              DATA_HELPERS_MIRROR      a classroom mirror's address
"""


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: expected 0 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_helpers",
        description="Get, read and explore the image datasets of the book Image Datasets for Deep Learning.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(
        name: str,
        run: Callable[[argparse.Namespace], None],
        text: str,
        *,
        of: str | None = "name",
        part: bool = False,
        root: bool = False,
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(run=run)
        if of == "name":
            one.add_argument("name", metavar="NAME", help="a dataset: " + ", ".join(data_helpers.list_datasets()))
        elif of == "folder":
            one.add_argument("folder", metavar="FOLDER", help="a folder on this machine")
        if part:
            one.add_argument(
                "--split", action="append", metavar="SPLIT", help="a split's name, such as val2017; may be repeated"
            )
            one.add_argument("--max-samples", type=int, metavar="N", help="at most N pictures")
            one.add_argument(
                "--classes", nargs="+", metavar="CLASS", help="pictures with at least one of these classes"
            )
            one.add_argument("--image-ids", nargs="+", metavar="ID", help="these pictures only")
            one.add_argument(
                "--label-types", nargs="+", metavar="TYPE", help="these label types only: boxes, captions, ..."
            )
            one.add_argument("--shuffle", action="store_true", help="choose at random instead of in order")
            one.add_argument("--seed", type=int, metavar="N", help="makes the random choice of --shuffle repeatable")
        if root:
            one.add_argument(
                "--root",
                metavar="DIR",
                help="the dataset's folder; 'sample' for a bounded piece of real data; left out: the miniature",
            )
        one.add_argument("--json", action="store_true", help="plain JSON on stdout and nothing else")
        return one

    verb("list", verbs.list_, "list the datasets", of=None)
    verb("card", verbs.card, "show what is true of a dataset: files, licences, facts")
    for name, run, text in (
        ("plan", verbs.plan, "tell what a fetch would move, without moving it"),
        ("fetch", verbs.fetch, "fetch a dataset, or just the part you need"),
    ):
        one = verb(name, run, text, part=True)
        one.add_argument("--root", metavar="DIR", help="where to put it; left out: a folder in the cache")
        if name == "fetch":
            one.add_argument("--max-bytes", type=int, metavar="N", help="refuse to move more bytes than this")
            one.add_argument("--yes", action="store_true", help="do not ask before a large download")
    one = verb("read", verbs.read, "list samples and their labels (--json: one sample a line)", part=True, root=True)
    one.add_argument("--rows", type=_count, default=20, metavar="N", help="rows to print (20)")
    one = verb("summary", verbs.summary, "count a folder's pictures and labels and list its problems", root=True)
    one.add_argument("--rows", type=_count, default=20, metavar="N", help="rows to print of each table (20)")
    verb("identify", verbs.identify, "tell which dataset, release and split a folder holds", of="folder")
    one = verb(
        "gallery",
        verbs.gallery,
        "write a page of pictures with their labels, licences and credits",
        part=True,
        root=True,
    )
    one.add_argument("--output", metavar="FILE", help="the page's file (NAME-gallery.html)")
    one = verb("explore", verbs.explore, "open FiftyOne's App on a dataset", part=True, root=True)
    one.add_argument("--port", type=int, default=None, metavar="N", help="the App's port")
    one = verb("adopt", verbs.adopt, "check files you obtained from a dataset's owners and take them into the cache")
    one.add_argument("folder", metavar="FOLDER", help="where you put the files")
    verb("miniature", verbs.miniature, "unpack a dataset's tiny twin and print its folder")
    one = verb("mirror", verbs.mirror, "serve fetched files to a classroom", of="folder")
    one.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="this machine's address in the classroom (127.0.0.1)"
    )
    one.add_argument("--port", type=int, default=0, metavar="N", help="port (any free one)")
    one = verb("doctor", verbs.doctor, "check what works on this machine and what to do about the rest", of=None)
    one.add_argument("--network", action="store_true", help="also ask every mirror whether it answers")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1 for an error told on stderr, 2 for wrong usage."""
    try:
        options = _parser().parse_args(arguments)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # JSON is UTF-8 wherever it goes; a name that the terminal cannot spell is told in escapes.
            if options.json:
                sys.stdout.reconfigure(encoding="utf-8")
            else:
                sys.stdout.reconfigure(errors="backslashreplace")
        options.run(options)
        sys.stdout.flush()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was fetched so far is kept, and the same command goes on from there", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has left (``| head``): that is not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0


if __name__ == "__main__":
    sys.exit(main())
