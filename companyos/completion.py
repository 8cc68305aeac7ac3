"""`companyos completion`: the script that makes a shell complete our commands."""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class, split_arg_string

from companyos.options import json_option
from companyos.output import print_json


@add_completion_class
class LineComplete(BashComplete):
    """Completion for bash, which takes `shop:v1` for three words and replaces the last: from the line, with what follows the colon."""

    name = "bash"
    source_template = BashComplete.source_template.replace(
        'COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD',
        'COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS"',
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)
        return (words[1:], "") if line[-1:].isspace() else (words[1:-1], words[-1])

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        found = super().get_completions(args, incomplete)
        typed = incomplete.partition("=")[2] if incomplete.startswith("-") else incomplete
        if ":" in os.environ.get("COMP_WORDBREAKS", ""):
            for item in found:
                item.value = item.value.removeprefix(typed[: typed.rfind(":") + 1])
        return found


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
def completion(shell: str, as_json: bool) -> None:
    """Print the completion script of SHELL; for bash: eval "$(companyos completion bash)"."""
    from companyos.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    script = made(cli, {}, "companyos", "_COMPANYOS_COMPLETE").source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
