"""Labels of buttons."""

EDIT_THIS = "Edit this"
RUN_AGAIN = "Run again"
COMPARE = "Before & after"
FULL_PROMPT = "Full prompt"
DELETE = "Delete"
CONFIRM_DELETE = "Delete"
CANCEL = "Cancel"

MAKE_IT = "Make it"
DISCARD = "Discard"

REMOVE = "Remove"
RESET = "Reset"
DELETE_MY_DATA = "Delete my data"

PREVIOUS, NEXT = "Previous", "Next"
NEWER, OLDER = "Newer", "Older"


def run_again(credits: int) -> str:
    """Label the button that repeats an edit for this price."""
    return f"{RUN_AGAIN} ({credits} credits)"


def make_it(credits: int) -> str:
    """Label the button that turns a guided draft into an edit for this price."""
    return f"{MAKE_IT} ({credits} credits)"
