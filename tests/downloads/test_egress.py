"""Results are fetched from public addresses and the API's own origin; from nowhere else."""

import contextlib
import ipaddress
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bot.downloads.egress import (
    ForbiddenAddressError,
    GuardedResolver,
    ResultAddresses,
    as_given,
    is_local_host,
    is_public,
)

SECURE = ResultAddresses(URL("https://api.example.com"))
PLAIN = ResultAddresses(URL("http://127.0.0.1:8080"))

NOT_PUBLIC = [
    "0.0.0.1",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]

PUBLIC = [
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]

UNUSUAL = [
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "example.com.0x1",
    "①②⑦.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "...",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_forbidden(address: str):
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    for rule in (SECURE, PLAIN):
        with pytest.raises(ForbiddenAddressError):
            rule.judge(f"https://{host}/picture.png")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str):
    assert is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert SECURE.judge(f"https://{host}/picture.png").raw_path == "/picture.png"


def test_a_name_may_end_with_the_dns_roots_dot():
    assert SECURE.judge("https://cdn.example.com./picture.png").host == "cdn.example.com."


def test_an_address_with_a_scope_is_a_local_one():
    assert not is_public(ipaddress.ip_address("2606:4700::1%eth0"))


@pytest.mark.parametrize("host", UNUSUAL)
def test_an_address_in_disguise_is_forbidden_before_any_look_up(host: str):
    with pytest.raises(ForbiddenAddressError):
        PLAIN.judge(f"http://{host}/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "picture.png",
        "//cdn.example.com/picture.png",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "ftp://cdn.example.com/",
        "ws://cdn.example.com/",
        "http://cdn.example.com/",
        "https://",
        "https://cdn.example.com:99999/",
        "https://member@cdn.example.com/",
        "https://:secret@cdn.example.com/",
        "https://member:secret@api.example.com/",
        "https://[::1",
        "https://[v1.fe:ed]/",
        "https://[]@",
    ],
)
def test_an_address_of_another_kind_is_forbidden(address: str):
    with pytest.raises(ForbiddenAddressError) as refusal:
        SECURE.judge(address)
    assert "secret" not in str(refusal.value)


def test_plain_http_is_taken_only_where_the_api_itself_speaks_it():
    assert PLAIN.judge("http://cdn.example.com/")
    assert PLAIN.judge("https://cdn.example.com/")
    with pytest.raises(ForbiddenAddressError):
        SECURE.judge("http://cdn.example.com/")


def test_the_apis_own_origin_is_allowed_wherever_it_is():
    assert PLAIN.is_own(PLAIN.judge("http://127.0.0.1:8080/results/1.png"))
    assert SECURE.is_own(SECURE.judge("https://API.example.com:443/results/1.png"))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/", "http://127.0.0.1:8081/", "https://127.0.0.1:8080/"]
)
def test_another_port_or_scheme_is_another_origin(address: str):
    with pytest.raises(ForbiddenAddressError):
        PLAIN.judge(address)


def test_a_signed_address_is_fetched_as_it_was_given():
    address = "https://cdn.example.com/a%2Fb%3a?key=%2F%7e&signature=a%2Bb="
    assert str(SECURE.judge(address)) == address


def test_an_address_that_cannot_be_sent_as_it_is_is_quoted():
    assert str(as_given("https://cdn.example.com/ü ü")) == "https://cdn.example.com/%C3%BC%20%C3%BC"


async def test_only_the_public_addresses_of_a_name_are_connected_to():
    resolver = GuardedResolver(Answers("10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111"))
    assert [found["host"] for found in await resolver.resolve("cdn.example.com", 443)] == [
        "1.1.1.1",
        "2606:4700::1111",
    ]


async def test_what_is_looked_up_is_what_was_asked_for():
    answers = Answers("1.1.1.1")
    await GuardedResolver(answers).resolve("cdn.example.com", 443, socket.AF_INET6)
    await GuardedResolver(answers).resolve("cdn.example.com")
    assert answers.asked == [
        ("cdn.example.com", 443, socket.AF_INET6),
        ("cdn.example.com", 0, socket.AF_UNSPEC),
    ]


@pytest.mark.parametrize("address", [*NOT_PUBLIC, "fe80::1%eth0", "no address"])
async def test_a_name_without_a_public_address_is_forbidden(address: str):
    with pytest.raises(ForbiddenAddressError):
        await GuardedResolver(Answers(address)).resolve("cdn.example.com", 443)


async def test_a_name_that_cannot_be_one_is_forbidden():
    with pytest.raises(ForbiddenAddressError):
        await GuardedResolver(Answers(fault=UnicodeError("label too long"))).resolve("a" * 64)


async def test_a_name_that_is_not_found_is_told_so():
    with pytest.raises(OSError, match="no such name"):
        await GuardedResolver(Answers(fault=OSError("no such name"))).resolve("cdn.example.com")


async def test_closing_closes_the_resolver_that_is_guarded():
    answers = Answers()
    await GuardedResolver(answers).close()
    assert answers.closed


@pytest.mark.parametrize("host", ["localhost", "sub.localhost", "127.0.0.1", "::1", "10.0.0.1"])
def test_a_local_host_is_known_by_its_text(host: str):
    assert is_local_host(host)


@pytest.mark.parametrize("host", ["cdn.discordapp.com", "localhost.example.com", "1.1.1.1", ""])
def test_other_hosts_are_not_local(host: str):
    assert not is_local_host(host)


class Answers(AbstractResolver):
    """Knows one list of addresses, for every name."""

    def __init__(self, *addresses: str, fault: Exception | None = None) -> None:
        self.addresses = addresses
        self.fault = fault
        self.closed = False
        self.asked: list[tuple[str, int, socket.AddressFamily]] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the list, or raise the fault."""
        self.asked.append((host, port, family))
        if self.fault is not None:
            raise self.fault
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@given(start=st.sampled_from(["", "//", "http://", "https://"]), rest=st.text("[]@:/?#%.a1\\é"))
def test_whatever_an_address_is_it_is_allowed_or_forbidden(start: str, rest: str):
    with contextlib.suppress(ForbiddenAddressError):
        SECURE.judge(f"{start}{rest}")
