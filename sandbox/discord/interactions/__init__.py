"""Commands, buttons and forms, as a client sends them."""
