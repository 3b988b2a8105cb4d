"""Child processes: one task, one answer, strict limits."""
