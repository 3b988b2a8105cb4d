"""A response that isn't what Discord returns counts as lost, and never as a posted image."""

import pytest

from bot.discord_io.responses import MAX_RETRY_AFTER_S, read_response, read_snowflake
from sandbox.faults import Answer
from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot
from tests.members import Person
from tests.services import at_discord

pytestmark = pytest.mark.usefixtures("small_results", "requests_again_soon")

ORIGINAL = "/messages/@original$"

NOT_A_MESSAGE = [
    pytest.param(Answer(200, body=b"<html>Welcome</html>"), id="a page"),
    pytest.param(Answer(204, body=b""), id="nothing"),
    pytest.param(Answer(299, body=b"[]"), id="a list"),
    pytest.param(Answer(200, {"id": "5", "channel_id": "6"}), id="another message"),
    pytest.param(Answer(200, {"id": "9" * 25, "channel_id": "6"}), id="an endless id"),
    pytest.param(Answer(200, {"id": 5}), id="a number as id"),
    pytest.param(Answer(200, body=b"[" * 100_000), id="nested too deep"),
]


@pytest.mark.parametrize("answer", NOT_A_MESSAGE)
async def test_a_success_without_the_message_is_retried_and_charged_once(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, answer: Answer
):
    at_discord(sandbox, answer, method="PATCH", path=ORIGINAL)
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    assert len((await edit.settled()).files) == 1
    assert ada.account() == (0, 8)


@pytest.mark.parametrize("answer", NOT_A_MESSAGE)
async def test_nothing_is_charged_if_no_response_ever_has_the_message(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, answer: Answer
):
    at_discord(sandbox, answer, method="PATCH", path=ORIGINAL, times=2)
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    assert ada.account() == (0, 0)


@pytest.mark.parametrize("value", [None, 5, "", "-1", "0x5", "\u0665", "9" * 19, "1" * 20, ["5"]])
def test_only_discords_ids_are_read(value: object):
    assert read_snowflake(value) is None


@pytest.mark.parametrize("items", [b"[5]", b'["a"]', b'[{"id": "1"}, null]'])
def test_a_list_of_anything_but_objects_is_no_list(items: bytes):
    assert read_response(200, {}, items).items is None


def test_no_rate_limit_keeps_the_bot_silent_for_longer_than_an_hour():
    headers = {
        "Retry-After": "1e11",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset-After": "1e9",
    }
    limit = read_response(429, headers, b"")
    assert (limit.retry_after, limit.exhausted_for) == (MAX_RETRY_AFTER_S, MAX_RETRY_AFTER_S)
