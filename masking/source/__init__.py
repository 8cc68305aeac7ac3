"""Reading the source: one consistent, read-only snapshot of a live database, as Arrow record batches in bounded memory."""
