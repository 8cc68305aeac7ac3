"""`companyos mask find`: where personal values stand in texts."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import click

from companyos.files import require_another
from companyos.options import json_option
from companyos.output import print_json, print_table, progress
from schemas.errors import InputError
from schemas.whole_files import written

_STANDARD = "-"


@click.command()
@click.argument("texts", metavar="TEXTS.jsonl", type=click.Path())
@click.option("-o", "--output", metavar="SPANS.jsonl", default=_STANDARD, help="The file to write.  [default: standard output]")
@click.option("--fast", is_flag=True, help="Ask the model only where patterns and rules are unsure: many times as fast, and misses more.")
@click.option("--threads", metavar="N", type=click.IntRange(min=1), help="Of the model.  [default: one a core]")
@json_option
def find(texts: str, output: str, fast: bool, threads: int | None, as_json: bool) -> None:
    """Find personal values in free text.

    TEXTS.jsonl has one JSON string a line, `-` is standard input. For each one a line is written: a list of [start, end], in
    characters, the end exclusive. With --json, how many of what were found is printed as JSON.
    """
    if as_json and output == _STANDARD:
        raise InputError("--json prints what was found in numbers, so the spans need a file; give it with -o SPANS.jsonl")
    if _STANDARD not in (texts, output):
        require_another(output, texts)
    from masking.progress import Progress
    from masking.text import Finder
    from masking.text.lines import spans

    finder = Finder(fast=fast, threads=threads)
    counts: Counter[str] = Counter()
    read = 0
    with _read_from(texts) as lines, _written_to(output) as file, progress(quiet=as_json or output == _STANDARD) as tell:
        for found in spans(lines, texts if texts != _STANDARD else "standard input", finder):
            read += 1
            counts.update(f.entity for f in found)
            file.write(json.dumps([[f.start, f.end] for f in found]) + "\n")
            if tell is not None:
                tell(Progress("find", "texts", read, None))
    entities = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if as_json:
        print_json({"texts": read, "spans": sum(counts.values()), "entities": entities, "output": output})
    elif output != _STANDARD:
        click.echo(f"{output}: {sum(counts.values()):,} spans in {read:,} texts")
        print_table(["entity", "spans"], [[entity, f"{count:,}"] for entity, count in entities.items()], numbers=[1])


@contextmanager
def _read_from(path: str) -> Iterator[IO[bytes]]:
    if path == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    with file:
        yield file


@contextmanager
def _written_to(path: str) -> Iterator[IO[str]]:
    if path == _STANDARD:
        yield sys.stdout
        return
    with written(path, text=True) as file:
        yield file
