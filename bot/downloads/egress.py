"""The SSRF guard: results are never fetched from inside the bot's own network."""

import ipaddress
import re
import socket
from dataclasses import dataclass

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.domain.errors import DarkroomError


class ForbiddenAddressError(DarkroomError):
    """The bot doesn't connect to this address. The text says why, without the address."""


@dataclass(frozen=True, slots=True)
class ResultAddresses:
    """The rule for the addresses of results, and for each one that they redirect to.

    Allowed are `https` to public addresses, and the edit API's own origin (scheme, host and port);
    plain `http` only if the API's own address is `http`. `GuardedResolver` checks what a name
    resolves to, at the moment of connecting.
    """

    api_origin: URL

    def judge(self, address: str | URL) -> URL:
        """Return the address as a URL if it may be fetched or its name be resolved.

        Raises:
            ForbiddenAddressError: it may not.
        """
        try:
            url = as_given(str(address))
            is_own = self.is_own(url)
        except ValueError:
            raise ForbiddenAddressError("not an absolute URL") from None
        if url.scheme not in {"https", self.api_origin.scheme}:
            raise ForbiddenAddressError(f"the scheme {url.scheme[:20]!r}")
        if url.user is not None or url.password is not None:
            raise ForbiddenAddressError("credentials in the address")
        if not is_own:
            _judge_host(url.raw_host or "")
        return url

    def is_own(self, url: URL) -> bool:
        """Whether the address is at the edit API's own origin."""
        return URL(str(url)).origin() == self.api_origin


def as_given(address: str) -> URL:
    """Return the URL with its text unchanged, since a signature may cover it.

    It is quoted only if it can't be sent otherwise.

    Raises:
        ValueError: it isn't a URL.
    """
    try:
        return URL(address, encoded=_SENDABLE.fullmatch(address) is not None)
    except IndexError:  # what yarl raises for empty brackets, such as in https://[]@
        raise ValueError("not a URL") from None


_SENDABLE = re.compile("[!-~]+")


class GuardedResolver(AbstractResolver):
    """Resolves names to public addresses only, and aiohttp connects to what it returns.

    There is no second lookup, so DNS rebinding can't show one address and connect to another.
    Literal addresses never get here, since aiohttp connects to them without resolving:
    `ResultAddresses.judge` checks those.
    """

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve `host`.

        Raises:
            ForbiddenAddressError: none of its addresses is public, or it isn't a host name.
            OSError: it has no address.
        """
        try:
            found = await self._resolver.resolve(host, port, family)
        except UnicodeError:  # from the codec that getaddrinfo uses for names
            raise ForbiddenAddressError("not a host name") from None
        public = [entry for entry in found if _is_public_literal(entry["host"])]
        if found and not public:
            raise ForbiddenAddressError("a name whose address isn't public")
        return public

    async def close(self) -> None:
        """Close the wrapped resolver."""
        await self._resolver.close()


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address belongs to a host on the public internet.

    An IPv4-mapped or NAT64 address is judged by the IPv4 address in it. Everything in IANA's
    special-purpose registries (RFC 6890) is refused, and so are 6to4 and Teredo: they tunnel into
    any network, and no server needs them today (RFC 7526).
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _GLOBAL_IPV6 and not any(address in network for network in _SPECIAL_IPV6)


def is_local_host(host: str) -> bool:
    """Whether a URL's host is this machine or a private address, by its text alone."""
    literal = _literal(host)
    if literal is not None:
        return not is_public(literal)
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def _judge_host(host: str) -> None:
    literal = _literal(host)
    if literal is not None:
        if not is_public(literal):
            raise ForbiddenAddressError("an address that isn't public")
        return
    last = host.rstrip(".").rpartition(".")[2].lower()
    if not last or last.isdigit() or last.startswith("0x") or ":" in host:
        # To inet_aton, 2130706433, 127.1, 0177.0.0.1 and 0x7f.1 are numbers; none is a DNS name.
        raise ForbiddenAddressError("an address in an unusual form")
    if is_local_host(host):
        raise ForbiddenAddressError("this machine's name")


def _is_public_literal(host: str) -> bool:
    literal = _literal(host)
    return literal is not None and is_public(literal)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


_SPECIAL_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with the clouds' metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All that is allocated so far. Loopback, link-local, private and multicast are outside it."""

_SPECIAL_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, with Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
