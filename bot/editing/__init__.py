"""The use case: an edit from its order to its end."""
