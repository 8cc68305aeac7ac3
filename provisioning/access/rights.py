"""What a caller may do: an owner acts on their own sandboxes, an administrator on all; what is not theirs is not there for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioning.access.scopes import Scope
from provisioning.demo.tenants import Tenant, tenants, tenants_named
from provisioning.errors import NoSuchSandbox, NoSuchTenant, NotYours, ScopeMissing
from provisioning.life.sandbox import Sandbox
from provisioning.policy import Who
from provisioning.policy.owners import owner_now, same_person

if TYPE_CHECKING:
    from provisioning.life.reasons import Reasons
    from provisioning.life.sandboxes import Sandboxes


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with their groups, and what their token allows."""

    who: Who
    scopes: frozenset[Scope]

    @property
    def name(self) -> str:
        return self.who.name

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise ScopeMissing where the token does not allow this. `admin` allows all."""
        if scope not in self.scopes and not self.is_admin:
            raise ScopeMissing(scope)


def owner_for(sandboxes: Sandboxes, caller: Caller, owner: str) -> Who:
    """Return the owner of what is asked for: the caller, or for an administrator anybody whom the environments' file knows.

    The groups that a caller's own token tells of are theirs alone. Raises NotYours, InputError.
    """
    if same_person(owner, caller.name):
        return caller.who
    if not caller.is_admin:
        raise NotYours(f"you are {caller.name}; only an administrator acts for other owners")
    return sandboxes.who(owner)


def own_sandbox(sandboxes: Sandboxes, caller: Caller, id: str) -> Sandbox:
    """Return a sandbox of the caller's, for an administrator any; NoSuchSandbox, in the same words, for what is not theirs or not there."""
    try:
        sandbox = sandboxes.show(id)
    except NoSuchSandbox:
        sandbox = None
    if sandbox is None or (sandbox.owner != caller.name and not caller.is_admin):
        raise no_such_sandbox(id)
    return sandbox


def owner_of(sandboxes: Sandboxes, caller: Caller, sandbox: Sandbox) -> Who:
    """Return the owner of a sandbox, on whose behalf the caller acts; one whom the file does not know (any more) is in no group."""
    return caller.who if sandbox.owner == caller.name else owner_now(sandboxes.platform.environments, sandbox.owner)


def own_reasons(sandboxes: Sandboxes, caller: Caller, id: str) -> Reasons:
    """Return why a sandbox of the caller's is as it is, or a request of theirs was refused; NoSuchSandbox, as for `own_sandbox`."""
    try:
        found = sandboxes.why(id)
    except NoSuchSandbox:
        raise no_such_sandbox(id) from None
    if found.verdict != "refused":
        own_sandbox(sandboxes, caller, id)
    elif not caller.is_admin and all(event["actor"] != caller.name for event in found.history if event["action"] == "refused"):
        raise no_such_sandbox(id)
    return found


def own_tenants(sandboxes: Sandboxes, caller: Caller, pattern: str) -> list[Tenant]:
    """Return the demo tenants that `pattern` means, where all of them are the caller's; NoSuchTenant. An administrator names any."""
    if caller.is_admin:
        return tenants_named(sandboxes.platform, pattern)
    found = tenants(sandboxes.platform, pattern)
    if not found or any(t.sandbox.owner != caller.name for t in found):
        raise NoSuchTenant(f"you have no demo tenant '{pattern[:80]}', or not you alone; name one that is yours")
    return found


def no_such_sandbox(id: str) -> NoSuchSandbox:
    """Return the same words for what others have and for what is not there, without the ids that there are."""
    return NoSuchSandbox(f"you have no sandbox '{id[:40]}'")
