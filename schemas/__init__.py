"""The shared vocabulary of all rooms: schemas, tables, columns, references, semantic types, data classes.

Reads and checks the YAML schema language, writes it, reflects live databases into it, and turns it into DDL. Imports none
of the other rooms; everything that the rooms say to each other is said in these words and in Arrow record batches.
"""
