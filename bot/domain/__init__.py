"""The domain: values and rules, with no I/O, no Discord and no clock of its own."""
