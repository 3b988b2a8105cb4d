"""Settings are read from the environment and `.env`, and wrong ones are named all at once."""

import os
import re
from pathlib import Path

import pytest
from yarl import URL

from bot import settings as settings_module
from bot.domain.errors import BadSettingsError
from bot.settings import SETTINGS, Setting, read_database, read_settings

SECRETS = {"DISCORD_TOKEN": "s3cret-token", "EDIT_API_KEY": "s3cret-key"}

NO_FILE = Path("no such file")


def complain(**environment: str) -> str:
    """The one message that a wrong environment ends the program with."""
    with pytest.raises(BadSettingsError) as fault:
        read_settings(environment, NO_FILE)
    return str(fault.value)


def test_the_defaults_need_nothing_but_two_secrets() -> None:
    settings = read_settings(SECRETS, NO_FILE)
    assert settings.edit_api_url == URL("https://api.gptimageapi.dev")
    assert settings.discord_api_url == URL("https://discord.com/api/v10")
    assert settings.database == Path("bot.db")
    assert settings.spool_dir == Path("bot.db.spool")
    assert settings.default_quota == 80
    assert (settings.edit_concurrency, settings.edit_timeout) == (8, 180.0)
    assert (settings.edit_source, settings.log_level) == ("url", "info")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DEFAULT_QUOTA=5\nEDIT_CONCURRENCY=3\nEDIT_TIMEOUT=\n")
    settings = read_settings({**SECRETS, "DEFAULT_QUOTA": "Unlimited"}, dotenv)
    assert (settings.default_quota, settings.edit_concurrency) == (None, 3)
    assert settings.edit_timeout == 180.0


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///a/b.db", "a/b.db"), ("sqlite:////var/lib/b.db", "/var/lib/b.db")],
)
def test_a_database_is_relative_or_absolute_by_its_slashes(url: str, path: str) -> None:
    assert read_settings({**SECRETS, "DATABASE_URL": url}, NO_FILE).database == Path(path)
    assert read_database({"DATABASE_URL": url}, NO_FILE) == Path(path)


def test_reading_settings_leaves_the_environment_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DEFAULT_QUOTA=5\n")
    before = dict(os.environ)
    assert read_settings(SECRETS, tmp_path / ".env").default_quota == 5
    assert dict(os.environ) == before


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"DISCORD_TOKEN=\xff\xfe\n")
    with pytest.raises(BadSettingsError, match=r"\.env can't be read"):
        read_settings(SECRETS, tmp_path / ".env")


@pytest.mark.parametrize(
    ("name", "given", "takes"),
    [
        ("DISCORD_TOKEN", "", "the bot's token"),
        ("DISCORD_TOKEN", "s3cret\ntoken", "the bot's token"),
        ("DISCORD_TOKEN", "s3cret\n", "the bot's token"),
        ("EDIT_API_KEY", "s3cret\r\nX-Other: s3", "the edit API's key"),
        ("EDIT_API_KEY", "   ", "the edit API's key"),
        ("EDIT_API_KEY", "s3cret key", "the edit API's key"),
        ("EDIT_API_URL", "ftp://example.com", "http or https"),
        ("EDIT_API_URL", "example.com", "http or https"),
        ("EDIT_API_URL", "https://me:s3cret@example.com", "without credentials"),
        ("EDIT_API_URL", "https://me:s3/cret@example.com", "without credentials"),
        ("EDIT_API_URL", "https://s3cret@example.com", "without credentials"),
        ("EDIT_API_URL", "https://me:x\ns3cret@example.com", "without credentials"),
        ("EDIT_API_URL", "https://me:x\ts3?cr\net@example.com", "without credentials"),
        ("EDIT_API_URL", "https:/me:s3cret@example.com", "without credentials"),
        ("EDIT_API_URL", "me:s3cret@example.com", "without credentials"),
        ("EDIT_API_URL", "https://example.com/#s3cret", "fragment"),
        ("DISCORD_API_URL", "https://example.com/?a\nkey=s3cret", "query"),
        ("DISCORD_API_URL", "https://example.com/?key=s3cret", "query"),
        ("DISCORD_API_URL", "https://example.com:99999", "http or https"),
        ("DATABASE_URL", "bot.db", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///bot.db?key=s3cret", "without a query"),
        ("DATABASE_URL", "mysql://me:s3cret@host/bot", "sqlite:///"),
        ("DATABASE_URL", "mysql:me:x\ns3cret@host/bot", "sqlite:///"),
        ("DEFAULT_QUOTA", "-1", "0 to"),
        ("DEFAULT_QUOTA", "many", "unlimited"),
        ("DEFAULT_QUOTA", "9" * 30, "0 to"),
        ("EDIT_CONCURRENCY", "0", "1 or more"),
        ("EDIT_CONCURRENCY", "1.5", "1 or more"),
        ("EDIT_TIMEOUT", "0", "above 0"),
        ("EDIT_TIMEOUT", "nan", "above 0"),
        ("EDIT_TIMEOUT", "inf", "above 0"),
        ("SHUTDOWN_GRACE", "-1", "0 or more"),
        ("SHUTDOWN_GRACE", "inf", "0 or more"),
        ("EDIT_SOURCE", "file", "url or data"),
        ("REQUIRE_CHILD_SANDBOX", "yes", "on or off"),
        ("LOG_LEVEL", "loud", "debug"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_got_and_takes_and_no_secret(
    name: str, given: str, takes: str
) -> None:
    message = complain(**{**SECRETS, name: given})
    assert name in message
    assert takes in message
    assert "s3" not in message
    if name not in {"DISCORD_TOKEN", "EDIT_API_KEY"} and "s3" not in given:
        assert repr(given) in message


def test_one_message_names_everything_that_is_wrong() -> None:
    message = complain(EDIT_API_KEY="s3cret", EDIT_CONCURRENCY="none", LOG_LEVEL="loud")
    assert all(name in message for name in ("DISCORD_TOKEN", "EDIT_CONCURRENCY", "LOG_LEVEL"))
    assert "EDIT_API_KEY" not in message


def test_no_secret_is_in_the_settings_repr() -> None:
    assert "s3cret" not in repr(read_settings(SECRETS, NO_FILE))


# Each setting is one row, and the docs repeat it word for word.


def test_every_setting_that_is_read_has_a_row() -> None:
    rows = {name for name, value in vars(settings_module).items() if isinstance(value, Setting)}
    assert rows == {setting.name for setting in SETTINGS}
    assert len(SETTINGS) == len(rows)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_explained_in_the_docs_as_in_its_row(setting: Setting[object]) -> None:
    default = f"`{setting.default}`" if setting.default else "not set"
    shown = "required" if setting.default is None else default
    assert f"| `{setting.name}` | {shown} | {setting.meaning} |\n" in OPERATING


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_explained_in_the_example_file_as_in_its_row(
    setting: Setting[object],
) -> None:
    mark = "" if setting.default is None else "#"
    meaning = setting.meaning.replace("`", "")
    assert f"# {meaning}\n{mark}{setting.name}={setting.default or ''}\n" in EXAMPLE


def test_the_docs_explain_no_other_setting() -> None:
    assert len(re.findall(r"^\| `[A-Z_]+` \|", OPERATING, re.MULTILINE)) == len(SETTINGS)
    assert len(re.findall(r"^#?[A-Z_]+=", EXAMPLE, re.MULTILINE)) == len(SETTINGS)


ROOT = Path(__file__).parent.parent
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
