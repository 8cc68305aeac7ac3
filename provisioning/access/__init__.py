"""Who asks, and what they may do: API tokens, the tokens of an OIDC issuer, and the rights that each of them gives.

`Authenticator` makes a `Caller` of a bearer token; `own_sandbox` and `owner_for` hold the caller to their own sandboxes. The audit ledger
names the caller as the actor of all that they do.
"""
