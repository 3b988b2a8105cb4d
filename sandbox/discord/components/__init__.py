"""Message components, and the rules Discord has for them."""
