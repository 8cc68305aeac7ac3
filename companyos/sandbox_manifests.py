"""`companyos sandbox manifests`."""

from __future__ import annotations

import click

from companyos.options import json_option
from companyos.output import print_json
from companyos.sandbox_options import opened, place_options


@click.command()
@click.argument("id", metavar="[ID]", required=False)
@click.option("--sweep", is_flag=True, help="Print what sweeps every night, instead of what isolates a sandbox.")
@click.option("--image", metavar="IMAGE", help="With --sweep: the container image that has `companyos`.")
@click.option("--schedule", metavar="CRON", default="17 3 * * *", show_default=True, help="With --sweep: when (UTC).")
@click.option("--namespace", metavar="NAME", default="companyos", show_default=True, help="With --sweep: where it runs.")
@place_options
@json_option
def manifests(
    id: str | None,
    sweep: bool,
    image: str | None,
    schedule: str,
    namespace: str,
    control: str | None,
    environments: str | None,
    as_json: bool,
) -> None:
    """Print the Kubernetes objects that isolate what runs beside sandbox ID, for `kubectl apply -f -`.

    No password is in them: pods name the Secret `companyos-database`.
    """
    from provisioning.manifests import render_sweep, render_under, to_yaml

    if sweep == (id is not None):
        raise click.UsageError("name either the ID of a sandbox, or --sweep")
    if sweep:
        if image is None:
            raise click.UsageError("--sweep runs in a container: name its --image")
        objects = render_sweep(image, schedule=schedule, namespace=namespace)
    else:
        with opened(control, environments) as (sandboxes, _):
            objects = render_under(sandboxes.platform.environments, sandboxes.show(str(id)))
    if as_json:
        print_json({"apiVersion": "v1", "kind": "List", "items": objects})
    else:
        click.echo(to_yaml(objects), nl=False)
