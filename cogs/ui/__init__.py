"""What features share: interactions, forms, cards and pages."""
