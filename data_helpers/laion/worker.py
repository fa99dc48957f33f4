"""What runs in img2dataset's worker processes; it lives in a module of its own so that they can import it by name."""

from __future__ import annotations

from typing import Any

import img2dataset.downloader as engine
import pyarrow as pa

from .downloading import HASH, Getter
from .polite import Policy, Visitor

_VISITORS: dict[Policy, Visitor] = {}


class PoliteDownloader(engine.Downloader):  # type: ignore[misc]
    """An img2dataset Downloader whose requests go through a `Visitor`, kept from shard to shard."""

    def __init__(self, policy: Policy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy

    def download_shard(self, row: tuple[int, str]) -> None:
        """Download one shard; ``row`` is its number and the file that lists its addresses."""
        with pa.memory_map(row[1]) as file:
            table = pa.ipc.open_file(file).read_all().select([HASH])
            # By place, as img2dataset names its rows: an address may stand twice, with a hash and without.
            published = table[HASH].to_pylist()
        visitor = _VISITORS.setdefault(self.policy, Visitor(self.policy, self.disallowed_header_directives or set()))
        before = engine.download_image
        engine.download_image = Getter(visitor, published)
        try:
            super().download_shard(row)
        finally:
            engine.download_image = before
