"""Each place that a recipe of docs/architecture.md names fails here if it's forgotten."""

import re

import pytest

from bot.domain.pricing import Quality
from bot.ledger.sqlite.migrations import MIGRATIONS
from bot.reports.chart_drawing import COLORS
from bot.scheduling.estimates import DEFAULTS


@pytest.mark.parametrize("quality", Quality)
def test_a_quality_has_a_price_a_default_duration_and_a_color(quality: Quality):
    assert quality.price > 0
    assert quality in DEFAULTS
    assert quality in COLORS


def test_the_database_accepts_every_quality():
    statements = "\n".join(
        statement for migration in MIGRATIONS for statement in migration.statements
    )
    checks = re.findall(r"quality IN \(([^)]*)\)", statements)
    assert checks
    assert set(re.findall(r"'(\w+)'", checks[-1])) == set(Quality)
