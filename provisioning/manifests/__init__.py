"""Kubernetes objects that isolate what runs beside a sandbox, and those that sweep every night.

Pure functions from records to plain dictionaries, in the order in which they are applied; `to_yaml` writes them. No object holds a
password: pods name the Secret that somebody with the right to it has made.
"""

from provisioning.manifests.rendering import render, render_under
from provisioning.manifests.sweep import render_sweep
from provisioning.manifests.yaml_text import to_yaml

__all__ = ["render", "render_sweep", "render_under", "to_yaml"]
