"""From bound trees and plans to SQL of DuckDB and PostgreSQL; only trees go in, so nothing else can come out.

`relations` writes the rows that a release is about, `contributions` what a unit adds to each group, `measuring` the statements
that an engine runs: one that counts how many units exceed each power of two, and one that sums what is left after clipping.
"""
