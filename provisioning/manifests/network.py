"""What the pods beside a sandbox may reach: nothing, but for the declared exceptions.

A NetworkPolicy knows addresses and selectors, not names: an exception by host name would have to be resolved once and would be wrong
from the next change of its address on, so it is refused.

Source: Kubernetes, "Network Policies" (networking.k8s.io/v1).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from provisioning.life.sandbox import Sandbox
from provisioning.manifests.names import named
from schemas.environments import Egress
from schemas.errors import InputError

_API, _KIND = "networking.k8s.io/v1", "NetworkPolicy"
_PORT = re.compile(r"[0-9]{1,5}")
_METADATA = {4: ipaddress.ip_network("169.254.169.254/32"), 6: ipaddress.ip_network("fd00:ec2::254/128")}
_DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def network_policies(sandbox: Sandbox, egress: Egress) -> list[dict[str, Any]]:
    """Return the policies: no traffic in, none out (where that is the default), and one that allows the exceptions.

    Names are looked up at the cluster's DNS only where there are exceptions. InputError for an exception that is no `CIDR:port`, all of
    them at once.
    """
    everything: dict[str, Any] = {"podSelector": {}}
    found = [_policy(sandbox, "default-deny-ingress", {**everything, "policyTypes": ["Ingress"]})]
    if egress.default == "allow":
        return found
    found.append(_policy(sandbox, "default-deny-egress", {**everything, "policyTypes": ["Egress"]}))
    if egress.exceptions:
        rules = [_DNS, *_rules(sandbox, egress.exceptions)]
        found.append(_policy(sandbox, "declared-egress", {**everything, "policyTypes": ["Egress"], "egress": rules}))
    return found


def _policy(sandbox: Sandbox, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return named(sandbox, _API, _KIND, name, spec=spec)


def _rules(sandbox: Sandbox, exceptions: Sequence[str]) -> list[dict[str, Any]]:
    rules, problems = [], []
    for exception in dict.fromkeys(exceptions):
        try:
            rules.append(_rule(exception))
        except ValueError as error:
            problems.append(f"template '{sandbox.template}', egress exception '{exception}': {error}")
    if problems:
        raise InputError("\n".join(problems))
    return rules


def _rule(exception: str) -> dict[str, Any]:
    """The rule for one `CIDR:port`, `address:port` or `[IPv6 CIDR]:port`; ValueError with what is wrong."""
    place, colon, port = exception.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or not 0 < int(port) < 65_536:
        raise ValueError("it ends in no port; write it as 203.0.113.0/24:443")
    address = place[1:-1] if place.startswith("[") and place.endswith("]") else place
    if not re.fullmatch(r"[0-9A-Fa-f:.]+(/[0-9]+)?", address) or not re.search(r"[.:]", address):
        raise ValueError(
            "a NetworkPolicy allows addresses, not names; give the CIDR (203.0.113.0/24:443), "
            "or the address of a proxy that lets this name through"
        )
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        raise ValueError("this is no IPv4 or IPv6 network; write it as 203.0.113.0/24:443 or [2001:db8::/32]:443") from None
    if network.prefixlen == 0:
        raise ValueError("this is every address; an environment that means that says `egress: {default: allow}`")
    if "/" in address and ipaddress.ip_interface(address).ip != network.network_address:
        raise ValueError(f"{address} is an address inside of a network; did you mean '{network}:{port}'?")
    return {"to": [{"ipBlock": _block(network)}], "ports": [{"protocol": "TCP", "port": int(port)}]}


def _block(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> dict[str, Any]:
    """The network, but for the address at which clouds hand out credentials, where that lies in it and is not all of it."""
    metadata = _METADATA[network.version]
    if network != metadata and metadata.subnet_of(network):  # type: ignore[arg-type]
        return {"cidr": str(network), "except": [str(metadata)]}
    return {"cidr": str(network)}
