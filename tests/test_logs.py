"""No secret passes the one place where logs are written."""

import pytest

from bot.logs import REDACTED, redact

TOKEN = "aW50ZXJhY3Rpb246MTIz.s3cret"


@pytest.mark.parametrize(
    "line",
    [
        f"PATCH https://discord.com/api/v10/webhooks/12/{TOKEN}/messages/@original gave 404",
        f"POST http://127.0.0.1:1/interactions/34/{TOKEN}/callback?with_response=1",
        f"WebSocket Event: {{'id': '1', 'token': '{TOKEN}', 'version': 1}}",
        f'{{"event": "got", "payload": {{"token": "{TOKEN}"}}}}',
        f'{{"event": "got {{\\"token\\": \\"{TOKEN}\\"}}"}}',
    ],
)
def test_an_interactions_token_is_redacted_wherever_it_stands(line: str) -> None:
    assert TOKEN not in redact(line, [])
    assert REDACTED in redact(line, [])


def test_the_secrets_of_the_settings_are_redacted_in_any_line() -> None:
    line = "Authorization: Bot bot-s3cret, Bearer key-s3cret"
    assert "s3cret" not in redact(line, ["bot-s3cret", "key-s3cret"])


def test_other_words_stay() -> None:
    line = '{"event": "edit.charged", "edit": "1", "credits": 8}'
    assert redact(line, ["x" * 20]) == line
