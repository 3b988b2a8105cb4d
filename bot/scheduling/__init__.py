"""When edits are sent, and what members see while they wait."""
