"""What a server's settings say, and what they make of an order."""

import pytest

from bot.domain.images import ImageLink
from bot.domain.pricing import MAX_COUNT, Quality
from bot.domain.refusals import (
    NotHere,
    NotInPrivate,
    OrderRequest,
    PromptRefused,
    TooManyPictures,
    refuse_here,
)
from bot.domain.server_settings import (
    FALSE,
    TRUE,
    ServerSettings,
    Setting,
    SettingName,
    read_settings,
)
from tests.orders import order

PHOTO = ImageLink("https://cdn.discordapp.com/cat.png", "cat.png", "image/png", 1_000, 64, 64)
PLACE, ELSEWHERE = 11, 12


def rows(*values: tuple[SettingName, str]) -> list[Setting]:
    return [Setting(number, name, value) for number, (name, value) in enumerate(values, 1)]


def test_where_nothing_was_set_the_bots_defaults_hold():
    assert read_settings([]) == ServerSettings()
    assert ServerSettings().max_count == MAX_COUNT
    assert ServerSettings().private


def test_all_that_was_set_is_read():
    kept = rows(
        (SettingName.QUALITY, "high"),
        (SettingName.SIZE, "source"),
        (SettingName.MAX_COUNT, "2"),
        (SettingName.CHANNEL, "11"),
        (SettingName.CHANNEL, "12"),
        (SettingName.LOG_CHANNEL, "13"),
        (SettingName.REFUSE, "one"),
        (SettingName.REFUSE, "two words"),
        (SettingName.SPOILER, TRUE),
        (SettingName.PRIVATE, FALSE),
    )
    assert read_settings(kept) == ServerSettings(
        quality=Quality.HIGH,
        size="source",
        max_count=2,
        channel_ids=frozenset({11, 12}),
        log_channel_id=13,
        refused=("one", "two words"),
        spoiler=True,
        private=False,
    )


def test_what_was_set_to_the_bots_default_holds_as_it():
    kept = rows(
        (SettingName.MAX_COUNT, "4"), (SettingName.SPOILER, FALSE), (SettingName.PRIVATE, TRUE)
    )
    assert read_settings(kept) == ServerSettings()


def test_only_channels_and_refused_phrases_can_be_several():
    assert {name for name in SettingName if name.listed} == {
        SettingName.CHANNEL,
        SettingName.REFUSE,
    }


@pytest.mark.parametrize("chose_quality", [True, False])
@pytest.mark.parametrize("chose_size", [True, False])
def test_defaults_are_used_only_where_the_member_chose_nothing(
    chose_quality: bool, chose_size: bool
):
    given = order(1, quality=Quality.MEDIUM, size="1:1")
    ask = OrderRequest(given, PHOTO, PLACE, chose_quality=chose_quality, chose_size=chose_size)
    completed = ask.completed(ServerSettings(quality=Quality.LOW, size="16:9"))
    assert completed.quality is (Quality.MEDIUM if chose_quality else Quality.LOW)
    assert completed.size == ("1:1" if chose_size else "16:9")
    assert ask.completed(ServerSettings()) == given


def test_what_is_set_refuses_and_never_cuts():
    given = order(1, prompt="a Red, car", count=3, private=True)
    assert refuse_here(given, PLACE, ServerSettings()) is None
    only_there = ServerSettings(channel_ids=frozenset({13, ELSEWHERE}))
    assert refuse_here(given, PLACE, only_there) == NotHere((ELSEWHERE, 13))
    assert refuse_here(given, ELSEWHERE, only_there) is None
    assert refuse_here(given, PLACE, ServerSettings(max_count=2)) == TooManyPictures(3, 2)
    assert refuse_here(given, PLACE, ServerSettings(max_count=3)) is None
    assert refuse_here(given, PLACE, ServerSettings(private=False)) == NotInPrivate()
    refusing = ServerSettings(refused=("blue", "red car"))
    assert refuse_here(given, PLACE, refusing) == PromptRefused("red car")
