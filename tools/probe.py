"""Ask every address of every card whether it still answers, politely, and date the result.

    python tools/probe.py [--output _build/status] [--seconds 20]

One ``HEAD`` an address, or its first byte where a host knows no ``HEAD``; one request at a time to each host, with a
pause between; nothing is downloaded. The weekly workflow keeps ``status.json`` and ``status.md``, the source of a page,
so that readers see what was alive when. Ends with status 1 only where an address that a card calls live gives no
answer, so that a person looks at it.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data_helpers import cards

PAUSE = 1.0


def addresses() -> list[dict[str, Any]]:
    """Return every address of every card once, with who names it and what the card says of it."""
    found: dict[str, dict[str, Any]] = {}

    def add(url: str, stem: str, what: str, says: str, dated: str) -> None:
        if url.startswith(("http://", "https://")):
            entry = found.setdefault(url, {"url": url, "datasets": [], "what": what, "card": says, "verified": dated})
            if stem not in entry["datasets"]:
                entry["datasets"].append(stem)

    for stem in cards.list_datasets():
        card = cards.parsed(stem)
        add(card.homepage, stem, "homepage", "unknown", "")
        add(card.homepage_archived, stem, "archived homepage", "unknown", "")
        add(card.access.apply_url, stem, "where to ask", "unknown", "")
        for file in card.files:
            for url in file.urls:
                add(url, stem, file.name, file.status, file.verified)
        for link in card.links:
            add(link.url, stem, link.name, link.status, link.checked)
            add(link.archived, stem, f"{link.name}, archived", "unknown", link.checked)
    return list(found.values())


def ask_all(entries: list[dict[str, Any]], pause: float = PAUSE) -> list[dict[str, Any]]:
    """Ask each address; hosts in parallel, one request at a time to each."""
    probe = importlib.import_module("data_helpers.doctor").probe
    hosts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        hosts[urlsplit(entry["url"]).hostname or ""].append(entry)

    def one(host: list[dict[str, Any]]) -> list[dict[str, Any]]:
        asked = []
        for number, entry in enumerate(host):
            time.sleep(pause if number else 0)
            alive, told = probe(entry["url"])
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            asked.append({**entry, "alive": alive, "told": told, "asked": now})
        return asked

    with ThreadPoolExecutor(8) as pool:
        result = [entry for host in pool.map(one, hosts.values()) for entry in host]
    order = {entry["url"]: number for number, entry in enumerate(entries)}
    return sorted(result, key=lambda entry: order[entry["url"]])


def page(result: list[dict[str, Any]], date: str) -> str:
    """Return the page of results as Markdown."""
    lines = [
        "---",
        "description: Which addresses of the datasets answered, and when they were asked.",
        "---",
        "",
        "# What answers today",
        "",
        f"Each address in the cards was asked on {date}, by its head or its first byte. Nothing was downloaded.",
        "An address that answers may still hold another file: the hash decides when you fetch.",
        "",
    ]
    by_stem: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in result:
        by_stem[entry["datasets"][0]].append(entry)
    for stem, entries in by_stem.items():
        lines += [
            f"## {cards.parsed(stem).title}",
            "",
            "| what | host | answers | told | card says |",
            "|---|---|---|---|---|",
        ]
        for entry in entries:
            host = urlsplit(entry["url"]).hostname
            told = entry["told"].replace("|", "/")
            says = f"{entry['card']}, {entry['verified']}" if entry["verified"] else entry["card"]
            answer = "yes" if entry["alive"] else "no"
            lines.append(f"| [{entry['what']}](<{entry['url']}>) | {host} | {answer} | {told} | {says} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Ask, write, and tell what is not as the cards say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("_build/status"), help="folder for status.json, status.md")
    parser.add_argument("--seconds", type=float, default=20.0, help="wait so long for an answer")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between two requests to one host")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DATA_HELPERS_TIMEOUT", str(options.seconds))
    result = ask_all(addresses(), options.pause)
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    options.output.mkdir(parents=True, exist_ok=True)
    plain = json.dumps({"date": date, "addresses": result}, indent=1)
    (options.output / "status.json").write_text(plain + "\n", encoding="utf-8")
    (options.output / "status.md").write_text(page(result, date), encoding="utf-8")
    lost = [entry for entry in result if entry["card"] == "live" and not entry["alive"]]
    found = [entry for entry in result if entry["card"] == "dead" and entry["alive"]]
    print(f"{len(result)} addresses asked, {sum(entry['alive'] for entry in result)} answer.")
    for entry in lost:
        print(f"called live, and does not answer: {entry['url']} ({entry['told']})")
    for entry in found:
        print(f"called dead, and answers: {entry['url']} ({entry['told']})")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
