"""Buttons and forms that were posted long ago, by their custom ids as they stand in Discord."""

import pytest

from bot.discord_io.custom_ids import CustomIds, SignatureScope, read_persistent
from cogs.cancel import CancelButton
from cogs.delete_button import DeleteButton
from cogs.edit_guided import EditGuidedCog
from cogs.result_buttons import ResultButtons
from cogs.ui.edit_forms import EDIT_FORM

BUTTONS = {
    "2:again:1311000000000000001": ResultButtons,
    "2:run:1311000000000000001": ResultButtons,
    "2:compare:1311000000000000001": ResultButtons,
    "2:prompt:1311000000000000001": ResultButtons,
    "2:delete:1311000000000000001": DeleteButton,
    "2:delete.surely:1311000000000000001": DeleteButton,
    "2:delete.keep:1311000000000000001": DeleteButton,
    "2:cancel:1311000000000000001": CancelButton,
}
FORMS = {"2:form.edit:1311000000000000001", "2:form.guided:1311000000000000001"}
SIGNED = (  # Their signatures don't matter: the version alone makes them too old.
    "1:quota.show:1:AAAAAAAAAAAAAAAA",
    "1:quota.back:user:5:40:0:AAAAAAAAAAAAAAAA",
    "1:quota.log:0:1:AAAAAAAAAAAAAAAA",
    "1:settings.show:1:AAAAAAAAAAAAAAAA",
    "1:settings.back:3:0:AAAAAAAAAAAAAAAA",
    "1:privacy.erase:AAAAAAAAAAAAAAAA",
    "1:privacy.keep:AAAAAAAAAAAAAAAA",
    "1:history.page:1:AAAAAAAAAAAAAAAA",
    "1:guided.make:1311000000000000001:AAAAAAAAAAAAAAAA",
    "1:guided.discard:1311000000000000001:AAAAAAAAAAAAAAAA",
    "1:delete.confirm:1311000000000000001:1:AAAAAAAAAAAAAAAA",
)


@pytest.mark.parametrize("custom_id", BUTTONS)
def test_a_persistent_button_from_commit_f5ae660_still_has_a_handler(custom_id: str):
    found = read_persistent(custom_id)
    assert found is not None
    assert found.row_id == 1311000000000000001
    feature = object.__new__(BUTTONS[custom_id])
    assert found.name in feature.persistent


def test_every_persistent_button_is_known_here():
    features = {object.__new__(feature) for feature in BUTTONS.values()}
    handled = {name for feature in features for name in feature.persistent}
    assert handled == {custom_id.split(":")[1] for custom_id in BUTTONS}


def test_a_form_from_commit_f5ae660_still_has_a_handler():
    names = {found.name for found in map(read_persistent, FORMS) if found is not None}
    guided = object.__new__(EditGuidedCog)
    assert names == {EDIT_FORM, *guided.forms}


@pytest.mark.parametrize("custom_id", SIGNED)
def test_a_signed_button_from_before_the_upgrade_reads_as_too_old(custom_id: str):
    assert CustomIds("secret").read(custom_id, SignatureScope(1, 2)) is None
