"""The policy: what is known of every column and what is to become of it, as a file that people review."""
