"""What clients may send. Unknown fields are refused, and no type is bent into another."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Header, Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from companyos.sandbox_options import LONGEST_REASON
from provisioning.life.states import State
from provisioning.policy.owners import LONGEST_NAME

LONGEST_TTL = 87_600.0  # hours, ten years; the policies say what is allowed

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x20\x7f]+$")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x20\x7f]+$")]
Why = Annotated[str, Field(description="The reason, for the audit ledger.", max_length=LONGEST_REASON, pattern=_PLAIN)]
Reason = Annotated[str, Field(description="The reason, for the audit ledger.", min_length=1, max_length=LONGEST_REASON, pattern=_PLAIN)]
AsOf = Annotated[
    str,
    Field(
        description="Move all times by whole weeks so that the bundle's now is in the week of this day (or `now`).",
        pattern=r"^(now|[0-9]{4}-[0-9]{2}-[0-9]{2})$",
        examples=["now"],
    ),
]
Id = Annotated[str, Path(description="The id of a sandbox.", pattern=r"^sb-[a-z2-7]{10}$", examples=["sb-k3v7qpd2ma"])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same request with the same key gives the same sandbox, however often it is sent; another request is refused.",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        examples=["6a1c0c52-6cf0-4f3a-9d6c-5b7d6b0a7d11"],
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SandboxRequest(_Strict):
    """A sandbox that is wanted."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "owner": "alice@company.com",
                "template": "feature-default",
                "ttl_hours": 72,
                "seed_profile": "synthetic:v1",
                "feature_flags": ["onboarding", "async-billing"],
            }
        }
    )

    owner: Name = Field(description="Whose it is: the caller, unless an administrator asks.")
    template: Name = Field("feature-default", description="What to make it after; GET /environments lists the templates.")
    ttl_hours: Annotated[float, Field(gt=0, le=LONGEST_TTL)] | None = Field(
        None, description="How long it lives; where it is left out, as long as the environment says."
    )
    seed_profile: Reference = Field(description="The bundle to fill it from.")
    feature_flags: Annotated[list[Name], Field(max_length=100)] = Field([], description="Feature flags to turn on.")
    as_of: AsOf | None = None
    why: Why = ""


class ExtensionRequest(_Strict):
    """More time for a sandbox."""

    model_config = ConfigDict(json_schema_extra={"example": {"hours": 24, "why": "the review takes longer"}})

    hours: Annotated[float, Field(gt=0, le=LONGEST_TTL)] = Field(description="How much longer it lives.")
    why: Why = ""


class ResetRequest(_Strict):
    """New data for a sandbox: its own bundle's, or another's."""

    model_config = ConfigDict(json_schema_extra={"example": {"as_of": "now", "why": "the tests broke it"}})

    seed_profile: Reference | None = Field(None, description="Another bundle than its own.")
    as_of: AsOf | None = None
    why: Why = ""


class SnapshotRequest(_Strict):
    """A bundle of what a sandbox holds now."""

    model_config = ConfigDict(json_schema_extra={"example": {"label": "before-migration", "why": "to show the bug"}})

    label: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}$")] | None = Field(
        None, description="It is called KIND:ID.LABEL, or KIND:ID without one; so no tag of another bundle is moved."
    )
    why: Why = ""


class ConnectionRequest(_Strict):
    """How to connect to a sandbox."""

    model_config = ConfigDict(json_schema_extra={"example": {"rotate": True}})

    rotate: bool = Field(False, description="Make a new password first; a sandbox that is a file has none.")


class LoadApproval(_Strict):
    """The caller's word that a bundle may be loaded for somebody else."""

    what: Literal["load"]
    seed_profile: Reference = Field(description="The bundle, as it is now.")
    owner: Name = Field(description="For whom.")
    template: Name = Field(description="Into sandboxes that are made after this template.")
    why: Reason
    valid_hours: Annotated[float, Field(gt=0, le=LONGEST_TTL)] = Field(168, description="How long the approval holds.")


class ExtensionApproval(_Strict):
    """The caller's word that somebody else's sandbox may live longer than its owner may ask for alone."""

    what: Literal["extend"]
    sandbox: Annotated[str, StringConstraints(pattern=r"^sb-[a-z2-7]{10}$")]
    why: Reason
    valid_hours: Annotated[float, Field(gt=0, le=LONGEST_TTL)] = Field(168, description="How long the approval holds.")


class LongLifeApproval(_Strict):
    """The caller's word that somebody else may make sandboxes that live longer than an owner may ask for alone."""

    what: Literal["long-life"]
    owner: Name = Field(description="For whom.")
    template: Name = Field(description="For sandboxes that are made after this template; they live no longer than the approval holds.")
    why: Reason
    valid_hours: Annotated[float, Field(gt=0, le=LONGEST_TTL)] = Field(168, description="How long the approval holds.")


ApprovalRequest = Annotated[LoadApproval | ExtensionApproval | LongLifeApproval, Field(discriminator="what")]


class DemoResetRequest(_Strict):
    """Demo tenants that are to be brought back to their bundles."""

    model_config = ConfigDict(json_schema_extra={"example": {"tenant": "demo-*"}})

    tenant: Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,63}$")] = Field(
        description="Which ones: a name, or `demo-*` for all whose names begin so."
    )
    as_of: AsOf = "now"
    force: bool = Field(False, description="Reset those too that nobody has touched.")
    dry_run: bool = Field(False, description="Tell what was changed; change nothing.")
    why: Why = ""


class SweepRequest(_Strict):
    """A sweep."""

    model_config = ConfigDict(json_schema_extra={"example": {"dry_run": True}})

    dry_run: bool = Field(False, description="Change nothing; tell what would go.")


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class SandboxQuery(_Query):
    """Which sandboxes to list."""

    owner: Name | None = Field(None, description="Those of one owner; who is no administrator sees their own.")
    state: Annotated[list[State], Field(max_length=7)] = Field(
        [], description="Those in one of these states; all but deleted ones if none."
    )
    tenant: Name | None = Field(None, description="That of a demo tenant.")
    limit: Annotated[int, Field(ge=1, le=500)] = Field(50, description="The most to list at a time.")
    after: Annotated[str, StringConstraints(pattern=r"^[0-9T:.Z-]{20,40}_sb-[a-z2-7]{10}$")] | None = Field(
        None, description="`next` of the page before."
    )


class DeletionQuery(_Query):
    """How a sandbox is removed."""

    force: bool = Field(False, description="Even where it is protected from deletion; takes `why`.")
    why: Why = ""


class EventQuery(_Query):
    """Which events of the audit ledger to list."""

    sandbox: Annotated[str, StringConstraints(pattern=r"^sb-[a-z2-7]{10}$")] | None = Field(
        None, description="Those of one sandbox; who is no administrator names one of their own."
    )
    actor: Name | None = Field(None, description="Those of one actor.")
    action: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PLAIN)] | None = Field(
        None, description="Those of one kind, such as `ready`."
    )
    limit: Annotated[int, Field(ge=1, le=500)] = Field(50, description="The most to list at a time.")
    before: Annotated[int, Field(ge=1, le=2**62)] | None = Field(None, description="`next` of the page before.")
