"""The control database: what sandboxes there are, in which state, and all that has to outlive a process."""
