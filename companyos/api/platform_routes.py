"""Routes of what stands behind sandboxes: environments, approvals, sweeps, demo tenants and the audit ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Query

from companyos.api.answers import Approval, DemoReset, Environment, Environments, Events, Swept, Template
from companyos.api.problems import answers
from companyos.api.requests import ApprovalRequest, DemoResetRequest, EventQuery, LoadApproval, LongLifeApproval, SweepRequest
from companyos.api.sandbox_routes import ANYBODY, SENT
from companyos.api.service import Administrator, Approver, Reader, Serving, Writer
from provisioning.access.rights import no_such_sandbox, own_sandbox, own_tenants
from provisioning.audit import Filters, log
from provisioning.errors import NoSuchSandbox, NotYours

router = APIRouter(tags=["platform"])


@router.get("/environments", summary="List environments and templates", responses=answers(*ANYBODY))
def environments(caller: Reader, service: Serving) -> Environments:
    """Tell which environments and templates there are, and what is allowed in each."""
    known = service.sandboxes.platform.environments
    return Environments(
        environments={
            name: Environment(
                loads=e.loads,
                classes=dict(e.classes),
                owner_groups=list(e.owner_groups),
                approver_groups=list(e.approver_groups),
                quota=e.quota,
                ttl_default_hours=e.ttl_default / timedelta(hours=1),
                ttl_most_hours=e.ttl_most / timedelta(hours=1),
                extend_alone_hours=e.extend_alone / timedelta(hours=1),
            )
            for name, e in known.environments.items()
        },
        templates={
            name: Template(
                environment=t.environment,
                seeds=list(t.seeds),
                feature_flags=dict(t.flags),
                approved=bool(t.approved_infrastructure and t.approved_data),
                demo=t.demo,
            )
            for name, t in known.templates.items()
        },
    )


@router.post(
    "/approvals",
    status_code=201,
    summary="Approve what somebody else may not do alone",
    responses=answers(*ANYBODY, *SENT, "refused", "no-such-sandbox"),
)
def approve(
    asked: Annotated[
        ApprovalRequest,
        Body(
            openapi_examples={
                "load": {
                    "value": {
                        "what": "load",
                        "seed_profile": "sanitized:v3",
                        "owner": "alice@company.com",
                        "template": "dev-postgres",
                        "why": "bug 4711 shows on this data only",
                    }
                },
                "extend": {"value": {"what": "extend", "sandbox": "sb-k3v7qpd2ma", "why": "the customer tests until Friday"}},
                "long-life": {
                    "value": {
                        "what": "long-life",
                        "owner": "alice@company.com",
                        "template": "feature-default",
                        "why": "the pilot takes two weeks",
                        "valid_hours": 336,
                    }
                },
            }
        ),
    ],
    caller: Approver,
    service: Serving,
) -> Approval:
    """Approve, as somebody else than the owner, that a bundle is loaded, or that a sandbox lives longer or is made to."""
    valid = timedelta(hours=asked.valid_hours)
    sandboxes = service.sandboxes
    if isinstance(asked, LoadApproval):
        approval = sandboxes.approve_load(
            asked.seed_profile,
            owner=service.authenticator.person(asked.owner),
            template=asked.template,
            by=caller.who,
            why=asked.why,
            valid=valid,
            actor=caller.name,
        )
    elif isinstance(asked, LongLifeApproval):
        approval = sandboxes.approve_long_life(
            owner=service.authenticator.person(asked.owner),
            template=asked.template,
            by=caller.who,
            why=asked.why,
            valid=valid,
            actor=caller.name,
        )
    else:
        try:
            approval = sandboxes.approve_extension(asked.sandbox, by=caller.who, why=asked.why, valid=valid, actor=caller.name)
        except NoSuchSandbox:
            raise no_such_sandbox(asked.sandbox) from None
    return Approval.model_validate(approval.to_json())


@router.post("/sweep", summary="Remove what is expired or idle", responses=answers(*ANYBODY, *SENT))
def sweep(asked: SweepRequest, caller: Administrator, service: Serving) -> Swept:
    """Remove sandboxes that are expired or idle, and finish or undo what a crash left; what fails is told in `errors`."""
    return Swept.model_validate(service.sandboxes.sweep(actor=caller.name, dry_run=asked.dry_run).to_json())


@router.post("/demo/reset", summary="Bring demo tenants back to their bundles", responses=answers(*ANYBODY, *SENT, "no-such-tenant"))
def demo_reset(asked: DemoResetRequest, caller: Writer, service: Serving) -> DemoReset:
    """Reseed, rotate passwords, purge webhooks and reset feature flags of demo tenants; what fails with one is told and keeps no other."""
    from provisioning.demo.resetting import reset_tenants

    outcomes = reset_tenants(
        service.sandboxes.platform,
        own_tenants(service.sandboxes, caller, asked.tenant),
        as_of=asked.as_of,
        force=asked.force,
        dry_run=asked.dry_run,
        actor=caller.name,
        why=asked.why,
    )
    return DemoReset.model_validate({"tenants": [outcome.to_json() for outcome in outcomes]})


@router.get("/audit/events", summary="List events of the audit ledger", responses=answers(*ANYBODY, "not-yours", "no-such-sandbox"))
def events(asked: Annotated[EventQuery, Query()], caller: Reader, service: Serving) -> Events:
    """List who did what, when and why, the newest first: for an administrator all, for others what happened to a sandbox of theirs."""
    if not caller.is_admin:
        if asked.sandbox is None:
            raise NotYours("name one of your sandboxes (sandbox=ID); only an administrator reads the whole ledger")
        own_sandbox(service.sandboxes, caller, asked.sandbox)
    filters = Filters(sandbox=asked.sandbox, actor=asked.actor, action=asked.action)
    page = log(service.sandboxes.platform.control, filters, before=asked.before, limit=asked.limit)
    return Events.model_validate({"events": [event.to_json() for event in page.events], "next": page.next})
