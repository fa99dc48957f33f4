"""Get files and keep them: planned, budgeted, checked, resumed, unpacked.

The signatures that others build on::

    Part(name, urls, bytes, sha256, md5, member, whole, unpack)     one file, or one member of a remote zip
    Plan(dataset, root, parts, bytes, exact, pictures, present, gated, terms, notes); str(plan); plan.to_json()
    plan_card(card, want, root) -> Plan                             whole files of a card, by split and label type
    fetch_card(card, want, root, *, max_bytes, progress) -> None
    make_plan(card, parts, root) -> Plan                            for a dataset's own route
    fetch_parts(parts, root, *, max_bytes=None, progress=None, name="fetch") -> None
    extract(archive, folder, *, max_bytes=None, max_entries=..., only=None) -> {name: size}
    adopt(card, folder, root) -> root                               files the reader obtained, checked
    lay_out(folder, goal) -> goal                                   fetched files as a tree of hosts, for a mirror
    gated(card, why) -> GatedError                                  the lesson for what only owners hand out

``card`` is a `cards.Card` (`cards.parsed`), ``want`` a `samples.Selection`. Nothing here knows a format.
"""

from __future__ import annotations

from .adopting import adopt, lay_out
from .archives import extract
from .fetching import fetch_card, fetch_parts, make_plan, plan_card
from .ledger import Ledger
from .plans import Part, Plan, gated, part_of, size, terms

__all__ = [
    "Ledger",
    "Part",
    "Plan",
    "adopt",
    "extract",
    "fetch_card",
    "fetch_parts",
    "gated",
    "lay_out",
    "make_plan",
    "part_of",
    "plan_card",
    "size",
    "terms",
]
