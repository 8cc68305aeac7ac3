"""From a bearer token (RFC 6750) to who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioning.access.issuers import Issuer
from provisioning.access.rights import Caller
from provisioning.access.tokens import PREFIX, are_there_any, holder
from provisioning.errors import NotAuthenticated, UnknownCaller
from provisioning.policy import Who, owner_now
from schemas.errors import InputError

if TYPE_CHECKING:
    from provisioning.life.sandboxes import Sandboxes

LONGEST = 16_384  # characters; the header of a request is not much longer


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Knows callers by the API tokens of the control database and, where there is one, by the tokens of an OIDC issuer."""

    sandboxes: Sandboxes
    issuer: Issuer | None = None

    def caller(self, bearer: str) -> Caller:
        """Return who holds this token.

        Raises NotAuthenticated for one that is not valid, UnknownCaller for a person whom the environments' file does not know,
        SystemFailure where the issuer's keys are needed and cannot be had.
        """
        if not bearer or len(bearer) > LONGEST:
            raise NotAuthenticated("the token is not valid")
        if bearer.startswith(PREFIX):
            token = holder(self.sandboxes.platform.control, bearer)
            if token is None:
                raise NotAuthenticated("the token is not valid: unknown, expired or revoked")
            return self._known(token.owner, (), frozenset(token.scopes))
        if self.issuer is None:
            raise NotAuthenticated("the token is not valid: it is no API token, and no other issuer is trusted here")
        said = self.issuer.read(bearer)
        return self._known(said.name, said.groups, said.scopes)

    def person(self, name: str) -> Who:
        """Return who has this name: somebody whom the file knows or, where an issuer is trusted, anybody whom its tokens may name.

        Raises InputError.
        """
        return self.sandboxes.who(name) if self.issuer is None else owner_now(self.sandboxes.platform.environments, name)

    def anybody(self) -> bool:
        """Whether there is anybody whom we would let in."""
        return self.issuer is not None or are_there_any(self.sandboxes.platform.control)

    def _known(self, name: str, groups: tuple[str, ...], scopes: frozenset[str]) -> Caller:
        try:
            return Caller(self.sandboxes.who(name, groups), scopes)  # type: ignore[arg-type]
        except InputError as error:
            raise UnknownCaller("the environments' file knows no owner of your name") from error
