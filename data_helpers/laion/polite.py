"""One visitor of many web servers: names itself, obeys robots.txt and opt-outs, keeps out of private networks."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import urllib.robotparser
from typing import Any

import msgspec

VERSION = "1.0"
NAT64 = ipaddress.ip_network("64:ff9b::/96")
RULE = re.compile(r"\s*([^\s:,]+)\s*:\s*(.*)", re.S)
SETTINGS = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
"""Directives of ``X-Robots-Tag`` with a value; any other word before a colon names whom the rules after it mean."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a visitor behaves; see `data_helpers.laion.download`."""

    user_agent: str
    contact: str
    allow_private: bool
    timeout: float
    retries: int
    rate: float
    max_bytes: int
    mirror: str = ""

    def place(self, url: str) -> str:
        """Return where an address is asked for: there, or at the classroom mirror (``DATA_HELPERS_MIRROR``)."""
        if not self.mirror or url.startswith(self.mirror):
            return url
        return self.mirror + url.split("://", 1)[-1]

    def origin(self, url: str) -> str:
        """Return the address that `place` was given."""
        if not self.mirror or not url.startswith(self.mirror):
            return url
        return "http://" + url.removeprefix(self.mirror)


class Refused(OSError):
    """An address this visitor does not go to, or a picture it may not use."""


def public_address(host: str, port: int, allow_private: bool) -> list[tuple[Any, ...]]:
    """Resolve a host and return the addresses that may be connected to.

    The check is made on the very address that is then connected to, so that a name cannot point elsewhere in between.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if allow_private:
        return found
    kept = [one for one in found if _is_public(str(one[4][0]))]
    if not kept:
        raise Refused(f"private address: {host} is {found[0][4][0]}")
    return kept


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        # Addresses that carry one of IPv4: mapped, 6to4, and what a NAT64 gateway (RFC 6052) translates.
        gate = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
        address = address.ipv4_mapped or address.sixtofour or gate or address
    return address.is_global and not address.is_multicast


class Visitor:
    """Gets addresses one by one; may be used by many threads at once.

    Parameters
    ----------
    policy
        How to behave.
    directives
        Directives of ``X-Robots-Tag`` that mean "not for you", in small letters.
    """

    def __init__(self, policy: Policy, directives: set[str]) -> None:
        self.policy, self.directives = policy, directives
        self.name = (
            f"{policy.user_agent}/{VERSION} (compatible; img2dataset{f'; {policy.contact}' if policy.contact else ''})"
        )
        self._robots: dict[str, urllib.robotparser.RobotFileParser | None] = {}
        self._next: dict[str, float] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        create = self._connect

        class Http(http.client.HTTPConnection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self._create_connection = create

        class Https(http.client.HTTPSConnection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self._create_connection = create

        class HttpHandler(urllib.request.HTTPHandler):
            def http_open(self, request: Any) -> Any:
                return self.do_open(Http, request)

        class HttpsHandler(urllib.request.HTTPSHandler):
            def https_open(self, request: Any) -> Any:
                return self.do_open(Https, request, context=self._context)  # type: ignore[attr-defined]

        class Redirected(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
                return super().redirect_request(req, fp, code, msg, headers, policy.place(newurl))

        class Checked(Redirected):
            """Where a picture has moved to, the rules and the pace are those of the host that has it now."""

            def redirect_request(_, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
                if visitor._opted_out(headers):
                    raise Refused("X-Robots-Tag of the redirect opts out of this use")
                visitor._enter(policy.origin(newurl))
                return super().redirect_request(req, fp, code, msg, headers, newurl)

        def opener(redirects: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
            # Only these two schemes, also behind a redirect; a proxy would hide the address that is checked.
            made = urllib.request.OpenerDirector()
            for handler in (
                urllib.request.ProxyHandler({}),
                HttpHandler(),
                HttpsHandler(),
                urllib.request.HTTPDefaultErrorHandler(),
                redirects,
                urllib.request.HTTPErrorProcessor(),
            ):
                made.add_handler(handler)
            return made

        visitor = self
        self._opener, self._rules_opener = opener(Checked()), opener(Redirected())

    def get(self, url: str) -> bytes:
        """Return the bytes at an address.

        Raises
        ------
        OSError
            The address is refused, does not answer, or opts out; the message says which.
        """
        # Lists hold addresses with letters of every script; on the wire they are percent-encoded.
        url = urllib.parse.quote(url, safe="%/:=&?~#+!$,;'@()*[]")
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refused(f"scheme: {parts.scheme or 'none'} is not http or https")
        for attempt in range(self.policy.retries + 1):
            self._enter(url)
            try:
                return self._once(url)
            except Refused:
                raise
            except urllib.error.HTTPError as error:
                error.close()
                if error.code not in (429, 500, 502, 503, 504) or attempt == self.policy.retries:
                    raise OSError(f"HTTP Error {error.code}: {error.reason}") from None
                told = error.headers.get("Retry-After", "") if error.headers else ""
                time.sleep(min(float(told), 30) if told.isdigit() else 0.5 * 2**attempt)
            except (OSError, http.client.HTTPException):
                if attempt == self.policy.retries:
                    raise
                time.sleep(0.2 * 2**attempt)
        raise AssertionError("unreachable")

    def _enter(self, url: str) -> None:
        """Wait until it is this host's turn; refuse what its robots.txt disallows."""
        parts = urllib.parse.urlsplit(url)
        if not self._allowed(f"{parts.scheme}://{parts.netloc}", url):
            raise Refused("robots.txt of the host disallows this address")
        self._wait(parts.netloc)

    def _once(self, url: str) -> bytes:
        request = urllib.request.Request(
            self.policy.place(url), headers={"User-Agent": self.name, "Accept": "image/*,*/*;q=0.5"}
        )
        with self._opener.open(request, timeout=self.policy.timeout) as answer:
            if self._opted_out(answer.headers):
                raise Refused("X-Robots-Tag of the answer opts out of this use")
            kind = answer.headers.get_content_type()
            if kind.startswith("text/") and kind != "text/plain":
                raise Refused(f"not a picture: the server sent {kind}")
            body: bytes = answer.read(self.policy.max_bytes + 1)
        if len(body) > self.policy.max_bytes:
            raise Refused(f"too large: more than {self.policy.max_bytes:,} bytes")
        told = answer.headers.get("Content-Length")
        if told and told.isdigit() and int(told) != len(body):
            raise OSError(f"connection closed after {len(body):,} of {int(told):,} bytes")
        return body

    def _opted_out(self, headers: Any) -> bool:
        for value in headers.get_all("X-Robots-Tag", []):
            ours = True
            for word in value.lower().split(","):
                found = RULE.fullmatch(word)
                if found and found[1] not in SETTINGS:
                    # What follows a visitor's name is for that visitor alone, up to the next name.
                    ours, word = found[1] in (self.policy.user_agent.lower(), "img2dataset"), found[2]
                # "none" is short for noindex and nofollow.
                rule = "noindex" if word.strip() == "none" else word.strip()
                if ours and rule in self.directives:
                    return True
        return False

    def _allowed(self, origin: str, url: str) -> bool:
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:
            if origin not in self._robots:
                self._robots[origin] = self._read_robots(origin)
            rules = self._robots[origin]
        # A host may know us by our own name or by that of the engine, which we bear too.
        return rules is None or all(rules.can_fetch(name, url) for name in (self.policy.user_agent, "img2dataset"))

    def _read_robots(self, origin: str) -> urllib.robotparser.RobotFileParser | None:
        """Return a host's rules, or None where there are none (RFC 9309: 4xx allows all, 5xx forbids all)."""
        rules = urllib.robotparser.RobotFileParser()
        request = urllib.request.Request(self.policy.place(origin + "/robots.txt"), headers={"User-Agent": self.name})
        try:
            with self._rules_opener.open(request, timeout=self.policy.timeout) as answer:
                # RFC 9309 asks a crawler to read at least 500 KiB.
                rules.parse(answer.read(512 * 1024).decode("utf-8", "replace").splitlines())
                return rules
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                return None
            rules.parse(["User-agent: *", "Disallow: /"])
            return rules
        except (OSError, http.client.HTTPException, ValueError):
            # The host does not answer: the picture's own request will say so in its own words.
            return None

    def _wait(self, host: str) -> None:
        if self.policy.rate <= 0:
            return
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next.get(host, 0.0))
            self._next[host] = at + 1 / self.policy.rate
        if at > now:
            time.sleep(at - now)

    def _connect(self, address: tuple[str, int], timeout: Any = None, source: Any = None, **_: Any) -> socket.socket:
        last: OSError | None = None
        for family, kind, protocol, _name, place in public_address(*address, self.policy.allow_private):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self.policy.timeout)
                connection.connect(place)
                return connection
            except OSError as error:
                connection.close()
                last = error
        raise last or OSError(f"no address of {address[0]} answers")
