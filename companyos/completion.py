"""`companyos completion`: the script that makes a shell complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from companyos.options import json_option
from companyos.output import print_json


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
