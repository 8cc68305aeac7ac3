"""The life of sandboxes: made, extended, reset, swept and removed, by steps that may be done again after a crash."""
