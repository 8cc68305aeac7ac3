"""Transformers: how a value is masked, one concept a file.

A transformer is a frozen dataclass whose fields are its parameters in the policy; bound to a column it becomes a masker, a pure
function from Arrow arrays to Arrow arrays. `TRANSFORMERS` lists them all.
"""

from __future__ import annotations

from masking.transformers.card import Card
from masking.transformers.code import Code
from masking.transformers.company import Company, JobTitle
from masking.transformers.email import Email
from masking.transformers.hashed import Hash
from masking.transformers.iban import Iban
from masking.transformers.ip import Ip
from masking.transformers.name import Name
from masking.transformers.national_id import NationalId
from masking.transformers.phone import Phone
from masking.transformers.place import Address, City, Postcode, Region, Street
from masking.transformers.url import Url
from masking.transformers.username import Username

TRANSFORMERS: tuple[type, ...] = (
    Hash, Code, Name, Username, Email, Phone, Address, Street, Postcode, City, Region, Company, JobTitle, Iban, Card, NationalId, Ip, Url,
)  # fmt: skip

__all__ = ["TRANSFORMERS"]
