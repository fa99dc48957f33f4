"""What each verb of the command line does and prints: tables for people, plain JSON for programs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

import data_helpers
from data_helpers.errors import BudgetError, DataError

LARGE = 200_000_000
"""Bytes above which a fetch asks first."""


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, msgspec.Raw):
        return msgspec.json.decode(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_json"):
        return value.to_json()
    raise NotImplementedError(f"{type(value)} has no JSON form")


def _json(value: Any) -> None:
    try:
        text = msgspec.json.encode(value, enc_hook=_plain)
    except UnicodeEncodeError:
        # A file's name need not be text; JSON's escapes hold it all the same.
        text = json.dumps(msgspec.to_builtins(value, str_keys=True, enc_hook=_plain)).encode()
    # An outline is handed on as its file spells it, line breaks included; a sample must stay on one line.
    if b"\n" in text or b"\r" in text:
        text = msgspec.json.format(text, indent=-1)
    sys.stdout.write(text.decode("utf-8", "replace") + "\n")


def _size(count: int | None) -> str:
    if count is None:
        return "unknown"
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return ""


def _table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> None:
    """Print rows in aligned columns, numbers to the right."""
    body = [
        [f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell) for cell in row]
        for row in rows
    ]
    right = (
        [all(isinstance(cell, int | float) for cell in column) for column in zip(*rows, strict=True)] if body else []
    )
    lines = ([list(head)] if head else []) + body
    if not lines:
        return
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [
            cell.rjust(w) if right and right[i] else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _selection(options: argparse.Namespace) -> dict[str, Any]:
    keys = ("split", "max_samples", "classes", "image_ids", "label_types", "shuffle", "seed")
    return {key: getattr(options, key) for key in keys}


def list_(options: argparse.Namespace) -> None:
    """List the datasets."""
    cards = [data_helpers.card(name) for name in data_helpers.list_datasets()]
    if options.json:
        return _json([{key: card[key] for key in ("stem", "title", "purpose", "tasks", "year")} for card in cards])
    _table(
        [[card["stem"], str(card["year"]), card["access"]["route"], card["purpose"]] for card in cards],
        ["name", "year", "access", "what it is"],
    )
    return None


def card(options: argparse.Namespace) -> None:
    """Show one card."""
    card = data_helpers.card(options.name)
    if options.json:
        return _json(card)
    print(f"{card['title']} ({card['year']})\n{card['purpose']}\n")
    rows = [("homepage", card["homepage"]), ("tasks", ", ".join(card["tasks"]))]
    rows += [(f"licence, {key.replace('_', ' ')}", text) for key, text in card["licences"].items() if key != "source"]
    rows += [
        ("access", f"{card['access']['route']}: {card['access']['terms']}"),
        ("consent", card["ethics"]["consent"]),
    ]
    _table(rows)
    if card.get("files"):
        print("\nFiles")
        _table(
            [[f["name"], _size(f.get("bytes")), f["status"], f["verified"], f["inside"]] for f in card["files"]],
            ["name", "size", "status", "checked", "what is inside"],
        )
    if card.get("facts"):
        print("\nFacts")
        _table(
            [
                [
                    key,
                    fact["value"] if isinstance(fact["value"], str) else f"{fact['value']:,}",
                    fact["origin"],
                    fact["what"],
                ]
                for key, fact in card["facts"].items()
            ]
        )
    return None


def plan(options: argparse.Namespace) -> None:
    """Show what a fetch would move."""
    plan = data_helpers.plan(options.name, **_selection(options), root=options.root)
    _json(plan) if options.json else print(plan)


def fetch(options: argparse.Namespace) -> None:
    """Fetch, asking first where it is large."""
    if not options.yes:
        plan = data_helpers.plan(options.name, **_selection(options), root=options.root)
        unknown = [part.name for part in plan.parts if part.bytes is None and not part.member]
        large = plan.bytes > LARGE or (unknown and options.max_bytes is None)
        if large and (options.max_bytes is None or plan.bytes <= options.max_bytes):
            more = f", and {', '.join(unknown[:5])}, whose size nobody published" if unknown else ""
            moves = f"This moves about {_size(plan.bytes)}{more}."
            if not sys.stdin.isatty():
                raise BudgetError(
                    f"{options.name}: {moves} Say --yes to go on, or choose less with --split or --max-samples."
                )
            print(f"{moves} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                raise BudgetError(
                    f"{options.name}: nothing was fetched. Choose less with --split, --classes or --max-samples."
                )
    progress = False if options.json else None
    root = data_helpers.fetch(
        options.name, **_selection(options), root=options.root, max_bytes=options.max_bytes, progress=progress
    )
    _json({"dataset": options.name, "root": root}) if options.json else print(root)


def read(options: argparse.Namespace) -> None:
    """List samples."""
    samples = data_helpers.read(options.name, options.root, **_selection(options))
    if options.json:
        for sample in samples:
            _json(sample)
        return
    shown = 0
    rows: list[list[str]] = []
    for sample in samples:
        shown += 1
        if len(rows) < options.rows:
            labels = ", ".join(f"{len(records)} {kind}" for kind, records in sample.labels.items())
            size = f"{sample.width}x{sample.height}" if sample.width else ""
            rows.append([str(sample.id), sample.split or "", size, "yes" if sample.image else "no", labels])
    _table(rows, ["id", "split", "size", "on disk", "labels"])
    print(f"{len(rows):,} of {shown:,} samples, {samples.tier}: {samples.root}")


def summary(options: argparse.Namespace) -> None:
    """Show counts and problems."""
    found = data_helpers.summary(options.name, options.root)
    if options.json:
        return _json(found)
    print(f"{found['dataset']}, {found['tier']}: {found['root']}")
    if found["tier"] == "miniature":
        print("This is the miniature: its numbers are not the dataset's.")
    _table([["pictures named", found["images"]], ["pictures on disk", found["images_on_disk"]]])
    for title in ("splits", "labels", "classes"):
        rows = (
            sorted(found[title].items(), key=lambda item: -item[1])
            if title == "classes"
            else list(found[title].items())
        )
        if rows:
            print(f"\n{title}")
            _table([["  " + str(key), count] for key, count in rows[: options.rows]])
            if len(rows) > options.rows:
                print(f"  ... and {len(rows) - options.rows:,} more (--rows, --json)")
    print(f"\nproblems: {len(found['problems']):,}")
    _table([["  " + p["kind"], p["where"], p["detail"]] for p in found["problems"][: options.rows]])
    return None


def identify(options: argparse.Namespace) -> None:
    """Show what a folder holds."""
    found = data_helpers.identify(options.folder)
    if options.json:
        return _json(found)
    # A line for each thing: lists of names and notes grow long, and an empty one says nothing.
    rows: list[list[str]] = []
    for key, value in found.items():
        if isinstance(value, dict):
            value = [
                f"{name}  {what:,}" if isinstance(what, int) else f"{name}  {what}" for name, what in value.items()
            ]
        texts = value if isinstance(value, list) else [value if value is not None else "not known"]
        rows += [["" if index else key, str(text)] for index, text in enumerate(texts)]
    _table(rows)
    return None


def gallery(options: argparse.Namespace) -> None:
    """Write a page of pictures."""
    # Without a number the first twelve pictures that are on disk are shown, however many are listed before them.
    limit = 12 if options.max_samples is None else options.max_samples
    page = data_helpers.gallery(data_helpers.read(options.name, options.root, **_selection(options)), limit=limit)
    output = Path(options.output or f"{options.name}-gallery.html")
    try:
        output.write_text(page.page(), encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"{output}: the gallery cannot be written ({error.strerror}). Choose another place with --output."
        ) from error
    _json({"output": output, "pictures": page.pictures}) if options.json else print(
        f"{output}: {page.pictures} pictures. Open it in a browser."
    )


def explore(options: argparse.Namespace) -> None:
    """Open FiftyOne's App and wait until it is closed."""
    samples = data_helpers.read(options.name, options.root, **_selection(options))
    dataset = data_helpers.to_fiftyone(samples, f"{options.name}-{samples.tier}")
    session = data_helpers.explore(dataset, port=options.port)
    if options.json:
        _json({"dataset": dataset.name, "samples": len(dataset), "url": getattr(session, "url", None)})
    if session is not None:
        session.wait()


def adopt(options: argparse.Namespace) -> None:
    """Take files of the reader's into the cache."""
    root = data_helpers.adopt(options.name, options.folder)
    _json({"dataset": options.name, "root": root}) if options.json else print(root)


def miniature(options: argparse.Namespace) -> None:
    """Unpack a miniature."""
    folder = data_helpers.miniature(options.name)
    _json({"dataset": options.name, "root": folder}) if options.json else print(folder)


def mirror(options: argparse.Namespace) -> None:
    """Serve a folder until interrupted."""
    server = data_helpers.mirror(options.folder, options.host, port=options.port)
    if options.json:
        _json({"url": server.url})
    else:
        print(f"Serving {options.folder}. Students set DATA_HELPERS_MIRROR={server.url} . Ctrl-C ends it.")
    sys.stdout.flush()
    server.wait()


def doctor(options: argparse.Namespace) -> None:
    """Show what works on this machine."""
    checks = data_helpers.doctor(network=options.network)
    if options.json:
        return _json(checks)
    _table([["ok" if c["ok"] else "--", c["check"], c["found"], "" if c["ok"] else c["advice"]] for c in checks])
    return None
