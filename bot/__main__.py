"""The command line.

python -m bot            run the bot with the settings of the environment and `.env`
python -m bot usage      report what every server spent, also while the bot runs
python -m bot doctor     check the ledger, also while the bot runs
python -m bot sandbox    try the bot without any account
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bot.domain.errors import BadSettingsError, LedgerError, OperatorError

WRONG_SETTINGS = 2
FAILED = 1


def main() -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Darkroom")
    commands = parser.add_subparsers(dest="command", title="commands")
    sandbox = commands.add_parser("sandbox", help="try one edit without any account")
    usage = commands.add_parser("usage", help="report what every server spent")
    commands.add_parser("doctor", help="check the ledger").description = (
        "Check every row of the database that DATABASE_URL names, also while the bot runs: each "
        "account is the sum of its edits, nobody was charged for an image that wasn't posted, and "
        "SQLite's own checks pass. Prints ok, or one line for each broken row with status 1."
    )
    run: Callable[[argparse.Namespace], int]
    match sys.argv[1:2]:  # A command imports only what it needs.
        case ["sandbox"]:
            from sandbox import cli

            cli.add_arguments(sandbox)
            run = cli.main
        case ["usage"]:
            from bot.reports import usage_report

            usage_report.add_arguments(usage)
            run = report_usage
        case ["doctor"]:
            run = check_ledger
        case _:
            run = run_bot
    options = parser.parse_args()
    try:
        return run(options)
    except BadSettingsError as error:
        print(error, file=sys.stderr)
        return WRONG_SETTINGS
    except OperatorError as error:
        print(error, file=sys.stderr)
        return FAILED


def report_usage(options: argparse.Namespace) -> int:
    """Print what was spent, and return the exit status. Raises OperatorError."""
    from bot.ledger.sqlite import open_sqlite_to_read
    from bot.reports import usage_report

    database = _read_database()
    try:
        return asyncio.run(usage_report.report(options, lambda: open_sqlite_to_read(database)))
    except LedgerError as error:
        print(f"Can't read the database: {error}. Try again.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED


def check_ledger(_: argparse.Namespace) -> int:
    """Print what is broken in the ledger, and return the exit status. Raises OperatorError."""
    from bot.ledger.sqlite import examine_sqlite

    database = _read_database()
    try:
        broken = asyncio.run(examine_sqlite(database))
    except LedgerError as error:
        print(f"Can't read all of the database {database}: {error}.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    print("\n".join(broken) or "ok")
    return FAILED if broken else 0


def run_bot(_: argparse.Namespace) -> int:
    """Run the bot until a signal stops it, and return the exit status. Raises OperatorError."""
    from bot import app

    app.run_bot()
    return 0


def _read_database() -> Path:
    from bot.settings import read_database

    return read_database(os.environ)


if __name__ == "__main__":
    sys.exit(main())
