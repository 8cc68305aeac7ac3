"""Everything that can be done with sandboxes: the one way for the command line and for the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import bundles
from bundles import BuiltBundle, Store
from provisioning.apart import Run, here
from provisioning.audit import record
from provisioning.control.database import open_control
from provisioning.control.moments import stamp, utc_now
from provisioning.control.reading import can_only_be_read, open_to_read
from provisioning.hosts.base import Telling
from provisioning.hosts.hosts import Hosts
from provisioning.life import connecting, creating, deleting, extending, reasons, recalling, reconciling, records, resetting, sweeping
from provisioning.life.creating import Created, Wanted
from provisioning.life.platform import Platform
from provisioning.life.records import Page
from provisioning.life.sandbox import Sandbox
from provisioning.life.states import PRESENT, State
from provisioning.media import MediaFolders
from provisioning.passwords import Passwords
from provisioning.policy import Approval, Who, find_owner, give_approval, owner_now
from provisioning.policy.approvals import LONGEST, What
from schemas.environments_reader import read_environments
from schemas.errors import InputError
from schemas.home import data_folder


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """The sandboxes of one control database. `actor` is whoever acts, as the audit ledger writes it down."""

    platform: Platform

    def who(self, name: str, groups: Sequence[str] = ()) -> Who:
        """Return a person with the groups of the environments' file and those given; InputError for one that the file does not know."""
        return find_owner(self.platform.environments, name, groups)

    def owner(self, id: str) -> Who:
        """Return the owner of a sandbox, in no group where the environments' file does not know them (any more); NoSuchSandbox."""
        return owner_now(self.platform.environments, self.show(id).owner)

    def create(
        self,
        owner: Who,
        *,
        template: str,
        seed: str,
        ttl: timedelta | None = None,
        flags: Sequence[str] = (),
        tenant: str | None = None,
        as_of: str | None = None,
        actor: str,
        why: str = "",
        idempotency_key: str | None = None,
        on_recorded: Callable[[Sandbox], None] = lambda sandbox: None,
        on_progress: Telling = None,
    ) -> Created:
        """Make a sandbox; see `provisioning.life.creating.create`."""
        wanted = Wanted(owner, template, seed, ttl, tuple(flags), tenant, as_of)
        return creating.create(
            self.platform,
            wanted,
            actor=actor,
            why=why,
            idempotency_key=idempotency_key,
            on_recorded=on_recorded,
            on_progress=on_progress,
        )

    def show(self, id: str) -> Sandbox:
        """Return a sandbox; NoSuchSandbox."""
        with self.platform.control.read() as connection:
            return records.find(connection, id)

    def list(
        self,
        *,
        owner: str | None = None,
        states: Sequence[State] = PRESENT,
        tenant: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return a page of sandboxes, the newest first."""
        with self.platform.control.read() as connection:
            return records.page(connection, owner=owner, states=states, tenant=tenant, after=after, limit=limit)

    def extend(self, id: str, by: timedelta, *, owner: Who, actor: str, why: str = "") -> Sandbox:
        """Let a sandbox live longer; see `provisioning.life.extending.extend`."""
        return extending.extend(self.platform, id, by, owner=owner, actor=actor, why=why)

    def delete(self, id: str, *, actor: str, why: str = "", force: bool = False) -> Sandbox:
        """Remove a sandbox; see `provisioning.life.deleting.delete`."""
        return deleting.delete(self.platform, id, actor=actor, why=why, force=force)

    def address(self, id: str, *, actor: str, rotate: bool = False) -> str:
        """Return the URL to connect to a ready sandbox with, password included; see `provisioning.life.connecting.connect`."""
        return connecting.connect(self.platform, id, actor=actor, rotate=rotate)

    def media(self, id: str) -> Path | None:
        """Return the folder with the files of the sandbox's rows; None where its bundle has none."""
        return self.platform.media.place(self.show(id).id)

    def reset(
        self,
        id: str,
        *,
        owner: Who,
        seed: str | None = None,
        as_of: str | None = None,
        actor: str,
        why: str = "",
        on_progress: Telling = None,
    ) -> Sandbox:
        """Give a sandbox its own data anew, or those of the bundle `seed`; see `provisioning.life.resetting.reset`."""
        sandbox = self.show(id)
        bundle = self.platform.seed(seed) if seed else bundles.open(f"bundle@{sandbox.bundle_digest}", self.platform.store)
        return resetting.reset(
            self.platform, id, bundle, owner=owner, actor=actor, why=why, seed=seed, as_of=as_of, on_progress=on_progress
        )

    def snapshot(self, id: str, *, tag: str | None, actor: str, why: str = "", on_progress: Telling = None) -> BuiltBundle:
        """Make a bundle of the present data of a ready sandbox; see `provisioning.snapshot`."""
        from provisioning.life.snapshots import snapshot

        return snapshot(self.platform, self.show(id), tag=tag, actor=actor, why=why, on_progress=on_progress)

    def approve_load(self, reference: str, *, owner: Who, template: str, by: Who, why: str, valid: timedelta, actor: str) -> Approval:
        """Write down that somebody else approves that a bundle is loaded for an owner; see `provisioning.policy.approvals`."""
        digest = bundles.open(reference, self.platform.store).manifest_digest
        return self._approve("load", owner.name, template, by, why, valid, actor, bundle_digest=digest)

    def approve_long_life(self, *, owner: Who, template: str, by: Who, why: str, valid: timedelta, actor: str) -> Approval:
        """Write down that somebody else approves that an owner makes sandboxes of a longer life than they may ask for alone."""
        return self._approve("extend", owner.name, template, by, why, valid, actor)

    def approve_extension(self, id: str, *, by: Who, why: str, valid: timedelta, actor: str) -> Approval:
        """Write down that somebody else than the owner approves that a sandbox lives longer; see `provisioning.policy.approvals`."""
        sandbox = self.show(id)
        return self._approve("extend", sandbox.owner, sandbox.template, by, why, valid, actor, sandbox=sandbox)

    def _approve(
        self,
        what: What,
        owner: str,
        template: str,
        by: Who,
        why: str,
        valid: timedelta,
        actor: str,
        *,
        bundle_digest: str | None = None,
        sandbox: Sandbox | None = None,
    ) -> Approval:
        if not -LONGEST <= valid <= LONGEST:  # which may have no date at all
            raise InputError(f"an approval holds for {LONGEST.days} days at most")
        now, id = self.platform.now, sandbox.id if sandbox is not None else None
        policies = self.platform.environments
        environment = policies.environments[creating.known_template(policies, template).environment]
        with self.platform.control.write() as connection:
            approval = give_approval(
                connection,
                environment,
                what=what,
                owner=owner,
                by=by,
                why=why,
                now=now,
                until=now + valid,
                template=template,
                bundle_digest=bundle_digest,
                sandbox=id,
            )
            record(
                connection,
                at=now,
                actor=actor,
                action="approved",
                sandbox=id,
                why=approval.why,
                bundle_digest=sandbox.bundle_digest if sandbox is not None else bundle_digest,
                details={"approval": approval.id, "by": approval.by, "owner": approval.owner, "until": stamp(approval.until)},
            )
        return approval

    def why(self, id: str) -> reasons.Reasons:
        """Return why a sandbox is as it is; see `provisioning.life.reasons.reasons`."""
        return reasons.reasons(self.platform, id)

    def sweep(self, *, actor: str, dry_run: bool = False) -> sweeping.Swept:
        """Remove what is over or idle; see `provisioning.life.sweeping.sweep`."""
        return sweeping.sweep(self.platform, actor=actor, dry_run=dry_run)

    def reconcile(self, *, actor: str, dry_run: bool = False) -> reconciling.Reconciled:
        """Finish or undo what a crash left; see `provisioning.life.reconciling.reconcile`."""
        return reconciling.reconcile(self.platform, actor=actor, dry_run=dry_run)

    def recall(
        self, reference: str, action: recalling.Action = "list", *, to: str | None = None, actor: str, why: str = ""
    ) -> recalling.Recalled:
        """List, shut or reset what holds a bundle; see `provisioning.life.recalling.recall`."""
        return recalling.recall(self.platform, reference, action, to=to, actor=actor, why=why)


@contextmanager
def open_sandboxes(
    control: str | Path | None = None,
    environments: str | Path | None = None,
    store: str | Path | None = None,
    *,
    home: Path | None = None,
    clock: Callable[[], datetime] = utc_now,
    run: Run = here,
    reads: bool = False,
) -> Iterator[Sandboxes]:
    """Open the sandboxes of a control database, under the policies of an environments' file, with the bundles of a store.

    Each is at its default place where None, in the folder `home` or else the user's. Raises InputError, ControlFailure. A host is
    reached only when it is used; `run` says where the data of PostgreSQL's sandboxes are worked on (see `provisioning.apart`). Who only
    `reads` needs no control database that can be written.
    """
    policies = read_environments(environments)
    folder = data_folder() if home is None else home
    address = control if control is not None or home is None else home / "control.db"
    with (open_to_read if reads and can_only_be_read(address) else open_control)(address, clock=clock) as opened:
        hosts = Hosts(policies.hosts, folder / "sandboxes", control=opened.id, clock=clock, run=run)
        passwords = Passwords(folder / "passwords" / opened.id)
        media = MediaFolders(folder / "media" / opened.id)
        yield Sandboxes(Platform(opened, policies, hosts, Store(store), passwords, media))
