"""Settings are read from the environment and `.env`, and wrong ones are named all at once."""

from pathlib import Path

import pytest
from environs import Env
from yarl import URL

from bot.errors import BadSettings
from bot.settings import read_settings


def names_read() -> list[str]:
    """The name of every setting that is looked for."""
    asked: list[str] = []

    def given(_: Env, name: str, default: str) -> str:
        asked.append(name)
        return default

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Env, "str", given)
        with pytest.raises(BadSettings):
            read_settings(Path("no such file"))
    return asked


NAMES = names_read()


@pytest.fixture(autouse=True)
def only_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISCORD_TOKEN", "s3cret-token")
    monkeypatch.setenv("EDIT_API_KEY", "s3cret-key")


def read(tmp_path: Path) -> str:
    """The one message that a wrong environment ends the program with."""
    with pytest.raises(BadSettings) as fault:
        read_settings(tmp_path / ".env")
    return str(fault.value)


def test_the_defaults_need_nothing_but_two_secrets(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / ".env")
    assert settings.edit_api_url == URL("https://api.gptimageapi.dev")
    assert settings.discord_api_url == URL("https://discord.com/api/v10")
    assert settings.database == Path("bot.db")
    assert settings.spool_dir == Path("bot.db.spool")
    assert settings.default_quota == 80
    assert (settings.edit_concurrency, settings.edit_timeout) == (8, 180.0)
    assert (settings.edit_source, settings.log_level) == ("url", "info")


def test_the_environment_goes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DEFAULT_QUOTA=5\nEDIT_CONCURRENCY=3\nEDIT_TIMEOUT=\n")
    monkeypatch.setenv("DEFAULT_QUOTA", "Unlimited")
    settings = read_settings(dotenv)
    assert (settings.default_quota, settings.edit_concurrency) == (None, 3)
    assert settings.edit_timeout == 180.0


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///a/b.db", "a/b.db"), ("sqlite:////var/lib/b.db", "/var/lib/b.db")],
)
def test_a_database_is_relative_or_absolute_by_its_slashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, path: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert read_settings(tmp_path / ".env").database == Path(path)


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: str, takes: str
) -> None:
    monkeypatch.setenv(name, given)
    message = read(tmp_path)
    assert name in message
    assert takes in message
    assert "s3" not in message
    if name not in {"DISCORD_TOKEN", "EDIT_API_KEY"} and "s3" not in given:
        assert repr(given) in message


def test_one_message_names_everything_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISCORD_TOKEN")
    monkeypatch.setenv("EDIT_CONCURRENCY", "none")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    message = read(tmp_path)
    assert all(name in message for name in ("DISCORD_TOKEN", "EDIT_CONCURRENCY", "LOG_LEVEL"))
    assert "EDIT_API_KEY" not in message


def test_no_secret_stands_in_the_settings_repr(tmp_path: Path) -> None:
    assert "s3cret" not in repr(read_settings(tmp_path / ".env"))


def test_every_setting_is_explained_in_the_example_file_and_the_readme() -> None:
    assert "SHUTDOWN_GRACE" in NAMES
    root = Path(__file__).parent.parent
    example = (root / ".env.example").read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"{name}=" not in example] == []
    assert [name for name in NAMES if f"| `{name}` |" not in readme] == []
