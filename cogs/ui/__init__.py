"""What features share: reading interactions, forms, cards and pages."""
