"""The tries at one mirror: waiting, going on where a try broke off, and judging whether the bytes are right."""

from __future__ import annotations

import http.client
import random
import time
import zlib

from .. import home
from ..errors import DataError
from . import web
from .kinds import complaint, looks_whole, strict
from .sinks import Memory, PartFile, State
from .source import TEMPORARY, Again, Meter, NoRanges, Source, Stopped, Wrong, reason, retry_after

WAIT = 0.5
"""Seconds before the second try; each further wait is twice as long, at most `LONGEST`."""
LONGEST = 30.0
PATIENCE = 120.0
"""A server that asks to wait longer than this is left for the next mirror."""
OVERLAP = 1024
"""Bytes fetched again on resuming, to see that they are those of the same file."""


class Mirror:
    """The tries at one address."""

    def __init__(self, source: Source, url: str, sink: Memory | PartFile, meter: Meter) -> None:
        self.source, self.url, self.sink, self.meter = source, url, sink, meter
        self.raw = source.name.lower().endswith((".gz", ".tgz"))
        self.flipped = False
        self.plain = self.probed = False
        self.announced: int | None = None

    def run(self) -> dict[str, str]:
        """Try until the bytes are right or the mirror is given up.

        A try that brought a good piece of the file costs nothing: a line that breaks every minute gets there.
        """
        left, wait = home.retries(), WAIT
        while True:
            before = self.sink.size
            try:
                return self._try()
            except web.Refused:
                raise
            except Again as problem:
                why, after, fresh = str(problem), problem.after, problem.progress
            except DataError:
                raise
            except (OSError, http.client.HTTPException) as problem:
                why, after, fresh = reason(problem)
            gained = self.sink.size - before
            if gained < max(1 << 12, (self.announced or 0) // 200) and not fresh:
                if left == 0:
                    raise web.Refused(f"{why}; gave up after {home.retries() + 1} tries")
                left -= 1
            elif gained > 0:
                wait = WAIT
            if after is not None and after > PATIENCE:
                raise web.Refused(f"{why}; asks to wait {after:,.0f} seconds")
            self._sleep(after if after is not None else wait * random.uniform(0.5, 1.0))
            wait = min(wait * 2, LONGEST)

    def _sleep(self, seconds: float) -> None:
        # Monotonic: a wall clock that is set back makes no wait longer.
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            if self.meter.stopped():
                raise Stopped
            time.sleep(min(rest, 0.1))

    def _try(self) -> dict[str, str]:
        source, sink = self.source, self.sink
        start = source.first or 0
        # Bytes of another address are gone on with only if a hash will prove the whole.
        same = sink.state.url == self.url and sink.state.first == start
        usable = same or (source.verified and bool(sink.state.url) and sink.state.first == start)
        if sink.size and usable and source.verified and source.accepts(sink.digests()):
            return sink.digests()
        have = sink.size if usable and not self.plain and (source.verified or sink.state.validator) else 0
        if source.exact is not None and have >= source.exact:
            have = 0
        overlap = min(have, OVERLAP)
        headers = {}
        if have or source.first is not None:
            end = f"{start + source.exact - 1}" if source.exact is not None else ""
            headers["Range"] = f"bytes={start + have - overlap}-{end}"
            if have and same and sink.state.validator:
                headers["If-Range"] = sink.state.validator
        with web.ask(self.url, headers, verified=source.verified) as answer:
            self._check_status(answer, have)
            rest = self._check_range(answer, start, have - overlap) if "Range" in headers else None
            if rest is None:
                self._begin(answer, start)
            elif have:
                if answer.validator and same and sink.state.validator and answer.validator != sink.state.validator:
                    sink.start(State())
                    raise Again("the file changed meanwhile; began anew", 0)
                again = self._exactly(answer, overlap)
                if again != sink.tail(overlap):
                    sink.start(State())
                    raise Again("other bytes where it left off; began anew", 0)
            else:
                self._begin(answer, start)
            resumed = have > 0 and rest is not None
            self._body(answer)
            return self._judge(answer, resumed)

    def _check_status(self, answer: web.Answer, have: int) -> None:
        status = answer.status
        if status in (200, 206):
            kind = answer.headers.get_content_type()
            if kind == "text/html" and not self.source.name.endswith((".html", ".htm")):
                raise web.Refused("answers with a web page instead of the file (a login, a quota or a notice?)")
            if status == 206 and self.source.first is None and not have:
                raise Again("answers with a piece that was not asked for")
            return
        why = f"{status} {answer.reason}".strip()
        if status == 416 and have and self.probed:
            raise self._wrong()
        if status == 416 and have:
            self.plain = True
            raise Again(why, 0)
        if status in TEMPORARY:
            raise Again(why, retry_after(answer))
        raise web.Refused(why)

    def _check_range(self, answer: web.Answer, start: int, have: int) -> int | None:
        """Return what the piece's end is, or None where the whole file comes instead of a piece."""
        if answer.status == 200:
            if self.source.first is not None:
                # The whole file may be a thousand times as long as the span: hang up at once.
                raise NoRanges("does not serve byte ranges")
            return None
        span = answer.span
        if span is None or span[0] != start + have:
            if self.source.first is not None:
                raise web.Refused(f"answers another range than the one asked for ({answer.headers['Content-Range']})")
            self.plain = True
            raise Again("answers another range than the one asked for", 0)
        if self.probed and span[2] == self.sink.size:
            raise self._wrong()
        if self.source.whole is not None and span[2] is not None and span[2] != self.source.whole:
            raise web.Refused(f"the archive has {span[2]:,} bytes, expected {self.source.whole:,}")
        return span[1]

    def _exactly(self, answer: web.Answer, count: int) -> bytes:
        data = b""
        while len(data) < count and (piece := answer.piece(count - len(data))):
            data += piece
            self.meter.moved(len(piece))
        return data

    def _begin(self, answer: web.Answer, start: int) -> None:
        source = self.source
        packed = answer.headers.get("Content-Encoding", "identity").lower() not in ("identity", "")
        total = answer.length if not packed else None
        if source.first is None and total is not None:
            if source.exact is not None and total != source.exact and not source.verified:
                raise web.Refused(f"offers {total:,} bytes, expected {source.exact:,}")
            if self.announced is None or (source.exact is None and total > self.announced):
                self.meter.expect(source.name, total - (self.announced or 0))
                self.announced = total
        # Bytes of a packed answer cannot be gone on with: positions in it are not those of the file.
        whole = (answer.span[2] or 0) if answer.span else total or 0
        self.sink.start(State(self.url, "" if packed else answer.validator, start, whole))

    def _body(self, answer: web.Answer) -> None:
        source, sink = self.source, self.sink
        packed = answer.headers.get("Content-Encoding", "identity").lower() not in ("identity", "")
        unpack = None
        if packed and self.raw == self.flipped:
            unpack = zlib.decompressobj(47)
        # No more than the published size is ever taken; one byte more than that would be another file.
        most = source.exact
        looked = False
        while most is None or sink.size < most:
            data = sink.take(answer)
            if not data:
                break
            self.meter.moved(len(data))
            if self.meter.stopped():
                raise Stopped
            if unpack is not None:
                try:
                    data = unpack.decompress(data)
                except zlib.error as error:
                    self.flipped = not self.flipped
                    sink.start(State())
                    raise Again(f"says gzip and is not ({error})", 0, progress=not self.flipped) from error
            sink.write(data if most is None else data[: most - sink.size])
            if not looked and source.first is None and sink.size >= 512:
                looked = True
                if why := complaint(source.name, sink.head(512)):
                    raise web.Refused(why)
        if not source.verified and answer.length is None and sink.size == most and answer.piece(1):
            raise web.Refused(f"sends more than the {most:,} bytes expected")

    def _judge(self, answer: web.Answer, resumed: bool) -> dict[str, str]:
        source, sink = self.source, self.sink
        digests = sink.digests()
        if source.first is None and (why := complaint(source.name, sink.head(512))) and sink.size:
            raise web.Refused(why)
        if source.verified and source.accepts(digests):
            return digests
        cut = answer.length is not None and answer.got < answer.length
        if (source.exact is not None and sink.size < source.exact) or (
            cut and (source.exact is None or sink.size != source.exact)
        ):
            raise Again(f"the connection closed after {sink.size:,} bytes")
        if source.verified:
            packed = answer.headers.get("Content-Encoding", "identity").lower() not in ("identity", "")
            if source.exact is None and answer.length is not None and not packed and not self.probed and not resumed:
                # The length itself may be the lie: one small request tells whether more follows.
                self.probed = True
                raise Again("not the published bytes; looking whether more follow", 0, progress=True)
            size, wrong = sink.size, self._wrong()
            sink.start(State())
            if resumed:
                raise Again("the pieces do not fit together; began anew", 0, progress=True)
            if packed and not self.flipped:
                self.flipped = True
                raise Again("says gzip, and unpacked it is not the file", 0, progress=True)
            if answer.length is None and not answer.chunked and source.exact is None:
                raise Again(f"ended after {size:,} bytes without telling its length, and the hash differs")
            raise wrong
        if strict(source.name) and source.first is None and not looks_whole(source.name, sink):
            raise web.Refused("ends in the middle: the file is not whole")
        if source.exact is None and answer.length is None and not answer.chunked and not looks_whole(source.name, sink):
            raise web.Refused("tells neither length nor hash: nobody can know whether the file is whole")
        return digests

    def _wrong(self) -> Wrong:
        digests, source = self.sink.digests(), self.source
        found = f"SHA-256 {digests['sha256']}" if source.sha256 else f"MD5 {digests['md5']}"
        expected = " or ".join([*source.sha256, *(f"MD5 {one}" if source.sha256 else one for one in source.md5)])
        return Wrong(f"{self.sink.size:,} bytes came with {found}, expected {expected}")
