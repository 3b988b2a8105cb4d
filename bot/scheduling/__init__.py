"""Who goes next, when, and what members see while they wait."""
