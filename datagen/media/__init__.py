"""Files that belong to rows: logos, avatars and documents, drawn to the same bytes on every machine.

`columns` gives the generators `media.*` their meaning: the cell is the path of a file. `logos`, `avatars` and `documents` draw, with
whole numbers only; `svg`, `png` and `pdf` write, without compression, whose bytes differ from one build of zlib to the next.
"""
