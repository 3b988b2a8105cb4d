"""A custom id works in one member's hands in one server, and nobody can make one up."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.discord_io.custom_ids import (
    MAX_LENGTH,
    Action,
    CustomIds,
    PersistentAction,
    SignatureScope,
    read_persistent,
    write_persistent,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def ids(named: str = "the bot's token", now: datetime = NOON) -> CustomIds:
    return CustomIds(named, lambda: now)


IDS = ids()
ADA = SignatureScope(guild_id=100, member_id=7)
BACK = Action("settings.back", ("12", "0"))

PARTS = st.text(st.characters(exclude_characters=":"), max_size=12)
ACTIONS = st.builds(Action, PARTS, st.lists(PARTS, max_size=3).map(tuple))
HOLDERS = st.builds(
    SignatureScope, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.booleans()
)


@given(ACTIONS, HOLDERS)
def test_what_was_written_for_a_member_is_read_from_their_hands(
    action: Action, holder: SignatureScope
):
    read = IDS.read(IDS.write(action, holder), holder)
    assert read == (action, replace(holder, first_shown=NOON))


@given(ACTIONS, HOLDERS, HOLDERS)
def test_it_reads_as_nothing_in_other_hands(
    action: Action, holder: SignatureScope, other: SignatureScope
):
    assume((holder.guild_id, holder.member_id) != (other.guild_id, other.member_id))
    assert IDS.read(IDS.write(action, holder), other) is None


@pytest.mark.parametrize(
    "other",
    [
        SignatureScope(guild_id=100, member_id=8),
        SignatureScope(101, 7),
        SignatureScope(7, 100),
        SignatureScope(10, 7),
        SignatureScope(0, 0),
    ],
)
def test_it_reads_as_nothing_of_another_member_or_server(other: SignatureScope):
    assert IDS.read(IDS.write(BACK, ADA), other) is None


def test_it_reads_as_nothing_under_another_secret():
    assert ids("another token").read(IDS.write(BACK, ADA), ADA) is None


@given(st.text(max_size=MAX_LENGTH))
def test_what_was_made_up_reads_as_nothing(made_up: str):
    assert IDS.read(made_up, ADA) is None


@pytest.mark.parametrize(
    "made_up", ["", ":", "1:settings.back:12:0", "1:settings.back:12:0:", "\ud800:\udfff", "é:é"]
)
def test_what_looks_like_one_reads_as_nothing(made_up: str):
    assert IDS.read(made_up, ADA) is None


@given(st.data())
def test_no_character_of_it_can_be_changed(data: st.DataObject):
    written = IDS.write(BACK, ADA)
    place = data.draw(st.integers(0, len(written) - 1))
    other = data.draw(st.characters())
    assume(other != written[place])
    assert IDS.read(written[:place] + other + written[place + 1 :], ADA) is None


def test_the_same_button_has_the_same_id_after_a_restart():
    assert ids().write(BACK, ADA) == IDS.write(BACK, ADA)


@pytest.mark.parametrize(
    ("age", "works"),
    [
        (timedelta(0), True),
        (timedelta(hours=2, seconds=-1), True),
        (timedelta(hours=2), False),
        (timedelta(days=365), False),
        (timedelta(seconds=-1), False),
    ],
)
@pytest.mark.parametrize("shown", [NOON, NOON + timedelta(minutes=59, seconds=59)])
def test_a_button_works_for_two_hours_to_the_second(shown: datetime, age: timedelta, works: bool):
    written = ids(now=shown).write(BACK, ADA)
    assert (ids(now=shown + age).read(written, ADA) is not None) is works


def test_the_two_hours_are_never_exceeded_by_a_part_of_a_second():
    shown = NOON + timedelta(milliseconds=900)
    written = ids(now=shown).write(BACK, ADA)
    assert ids(now=shown + timedelta(hours=2)).read(written, ADA) is None


@given(st.lists(st.integers(1, 3_600), min_size=1, max_size=20))
def test_no_chain_of_pages_outlives_two_hours(pauses: list[int]):
    written, now = IDS.write(BACK, ADA), NOON
    for seconds in pauses:
        now += timedelta(seconds=seconds)
        read = ids(now=now).read(written, ADA)
        assert (read is not None) == (now - NOON < timedelta(hours=2))
        if read is None:
            break
        _, holder = read
        written = ids(now=now).write(BACK, holder)


MANAGING = replace(ADA, manages_server=True)


def test_whoever_managed_the_server_at_first_and_does_not_any_more_is_refused_on_every_page():
    written = IDS.write(BACK, MANAGING)
    read = IDS.read(written, MANAGING)
    assert read is not None
    _, holder = read
    for page in (written, IDS.write(BACK, holder)):
        assert IDS.read(page, MANAGING) is not None
        assert IDS.read(page, ADA) is None


def test_whoever_never_managed_the_server_keeps_what_integrations_gave_them():
    written = IDS.write(BACK, ADA)
    assert IDS.read(written, ADA) is not None
    read = IDS.read(written, MANAGING)
    assert read is not None
    assert not read[1].manages_server


@pytest.mark.parametrize("hour", ["", f"{int(NOON.timestamp() // 3600)}\0"])
def test_an_id_of_the_version_before_reads_as_nothing_however_it_is_signed(hour: str):
    key = hashlib.sha256(b"custom ids\0the bot's token").digest()
    body = "1:settings.back:12:0"
    digest = hmac.digest(key, f"100\x007\0{hour}{body}".encode(), "sha256")[:12]
    assert IDS.read(f"{body}:{base64.urlsafe_b64encode(digest).decode()}", ADA) is None


@pytest.mark.parametrize(
    "action",
    [
        Action("quota.back", ("member", "9" * 19, "unlimited", "99999")),
        Action("quota.log", ("9" * 19, "99999")),
        Action("delete.confirm", ("9" * 19, "9" * 19)),
    ],
)
def test_the_longest_ids_of_features_fit(action: Action):
    assert len(IDS.write(action, MANAGING)) <= MAX_LENGTH


def test_one_that_is_as_long_as_discord_takes_is_written_and_no_longer_one():
    spare = MAX_LENGTH - len(IDS.write(Action("a", ("",)), ADA))
    longest = IDS.write(Action("a", ("x" * spare,)), ADA)
    assert len(longest) == MAX_LENGTH
    with pytest.raises(ValueError, match="too long"):
        IDS.write(Action("a", ("x" * (spare + 1),)), ADA)


@pytest.mark.parametrize("action", [Action("a:b"), Action("a", ("b:c",)), Action("a", ("b", ":"))])
def test_a_part_that_would_read_as_two_is_not_written(action: Action):
    with pytest.raises(ValueError, match="separator"):
        IDS.write(action, ADA)


@given(st.from_regex("[a-z_.]{1,40}", fullmatch=True), st.integers(0, 2**63 - 1))
def test_a_lasting_one_is_read_as_it_was_written_and_fits(name: str, row_id: int):
    custom_id = write_persistent(name, row_id)
    assert len(custom_id) <= MAX_LENGTH
    assert read_persistent(custom_id) == PersistentAction(name, row_id)


@pytest.mark.parametrize(
    "custom_id",
    [
        *("", "2", "2:", "2:again", "2:again:", "2::7", "2:again:7:", "2:again:-7", "2:again:x"),
        *("1:again:7", "3:again:7", "2:Again:7", "2:again:٣", "2:again:7\n", " 2:again:7"),
        *("2:again:" + "9" * 20, f"2:again:{2**63}", "2:" + "a" * 41 + ":7"),
    ],
)
def test_a_lasting_one_that_was_made_up_reads_as_nothing(custom_id: str):
    assert read_persistent(custom_id) is None


@given(ACTIONS, HOLDERS)
def test_none_of_one_family_reads_as_one_of_the_other(action: Action, holder: SignatureScope):
    assert read_persistent(IDS.write(action, holder)) is None
    assert IDS.read(write_persistent("again", holder.member_id), holder) is None


def test_a_lasting_ones_name_cannot_hold_what_separates():
    with pytest.raises(ValueError, match="an action"):
        write_persistent("again:1", 7)
