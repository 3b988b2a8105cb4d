"""A custom id works in one member's hands in one server, and nobody can make one up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.custom_ids import (
    LONGEST,
    Action,
    CustomIds,
    Holder,
    Lasting,
    read_lasting,
    write_lasting,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def ids(named: str = "the bot's token", now: datetime = NOON) -> CustomIds:
    return CustomIds(named, lambda: now)


IDS = ids()
ADA = Holder(guild_id=100, member_id=7)
BACK = Action("settings.back", ("12", "0"))

PARTS = st.text(st.characters(exclude_characters=":"), max_size=12)
ACTIONS = st.builds(Action, PARTS, st.lists(PARTS, max_size=3).map(tuple))
HOLDERS = st.builds(Holder, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))


@given(ACTIONS, HOLDERS)
def test_what_was_written_for_a_member_is_read_from_their_hands(action: Action, holder: Holder):
    assert IDS.read(IDS.write(action, holder), holder) == action


@given(ACTIONS, HOLDERS, HOLDERS)
def test_it_reads_as_nothing_in_other_hands(action: Action, holder: Holder, other: Holder):
    assume(holder != other)
    assert IDS.read(IDS.write(action, holder), other) is None


@pytest.mark.parametrize(
    "other",
    [
        Holder(guild_id=100, member_id=8),
        Holder(101, 7),
        Holder(7, 100),
        Holder(10, 7),
        Holder(0, 0),
    ],
)
def test_it_reads_as_nothing_of_another_member_or_server(other: Holder):
    assert IDS.read(IDS.write(BACK, ADA), other) is None


def test_it_reads_as_nothing_under_another_secret():
    assert ids("another token").read(IDS.write(BACK, ADA), ADA) is None


@given(st.text(max_size=LONGEST))
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


def test_a_button_works_for_an_hour_and_not_for_two():
    written = IDS.write(BACK, ADA)
    assert ids(now=NOON + timedelta(minutes=119)).read(written, ADA) == BACK
    assert ids(now=NOON + timedelta(minutes=120)).read(written, ADA) is None
    assert ids(now=NOON - timedelta(minutes=1)).read(written, ADA) is None


def test_one_that_is_as_long_as_discord_takes_is_written_and_no_longer_one():
    spare = LONGEST - len(IDS.write(Action("a", ("",)), ADA))
    longest = IDS.write(Action("a", ("x" * spare,)), ADA)
    assert len(longest) == LONGEST
    with pytest.raises(ValueError, match="too long"):
        IDS.write(Action("a", ("x" * (spare + 1),)), ADA)


@pytest.mark.parametrize("action", [Action("a:b"), Action("a", ("b:c",)), Action("a", ("b", ":"))])
def test_a_part_that_would_read_as_two_is_not_written(action: Action):
    with pytest.raises(ValueError, match="separates"):
        IDS.write(action, ADA)


@given(st.from_regex("[a-z_.]{1,40}", fullmatch=True), st.integers(0, 2**63 - 1))
def test_a_lasting_one_is_read_as_it_was_written_and_fits(name: str, row_id: int):
    custom_id = write_lasting(name, row_id)
    assert len(custom_id) <= LONGEST
    assert read_lasting(custom_id) == Lasting(name, row_id)


@pytest.mark.parametrize(
    "custom_id",
    [
        *("", "2", "2:", "2:again", "2:again:", "2::7", "2:again:7:", "2:again:-7", "2:again:x"),
        *("1:again:7", "3:again:7", "2:Again:7", "2:again:٣", "2:again:7\n", " 2:again:7"),
        *("2:again:" + "9" * 20, f"2:again:{2**63}", "2:" + "a" * 41 + ":7"),
    ],
)
def test_a_lasting_one_that_was_made_up_reads_as_nothing(custom_id: str):
    assert read_lasting(custom_id) is None


@given(ACTIONS, HOLDERS)
def test_none_of_one_family_reads_as_one_of_the_other(action: Action, holder: Holder):
    assert read_lasting(IDS.write(action, holder)) is None
    assert IDS.read(write_lasting("again", holder.member_id), holder) is None


def test_a_lasting_ones_name_cannot_hold_what_separates():
    with pytest.raises(ValueError, match="no action"):
        write_lasting("again:1", 7)
