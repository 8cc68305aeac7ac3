"""Writes docs/commands.md from the commands themselves: `python -m companyos.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from companyos.cli import cli

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"

_HEAD = """# Commands

Made from the program's own help by `make docs`. Every command takes `--json` where it prints something for machines to read;
an error is then one JSON object, `{"error": ..., "exit_code": ...}`, on standard output.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a check failed: the data or the bundle breaks a promise |
| 2 | bad input or usage |
| 3 | refused by policy, such as a target that holds tables already |
| 4 | another system failed: a database, the disk |
| 130 | interrupted, by Ctrl-C, SIGTERM or a terminal that closed; nothing is left half-made |
"""


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(cli, "companyos", None))


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command, info_name=name, parent=parent, max_content_width=100, terminal_width=100, help_option_names=["-h", "--help"]
    )
    yield context.command_path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from _helps(found, child, context)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
