"""The sandbox by itself: Discord and the edit API as other programs meet them."""
