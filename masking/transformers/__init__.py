"""Transformers: how a value is masked, one concept a file.

A transformer is a frozen dataclass whose fields are its parameters in the policy; bound to a column it becomes a masker, a pure
function from Arrow arrays to Arrow arrays. `TRANSFORMERS` lists them all.
"""

from __future__ import annotations

from masking.transformers.base import Transformer
from masking.transformers.bucket import Bucket
from masking.transformers.card import Card
from masking.transformers.code import Code
from masking.transformers.company import Company, JobTitle
from masking.transformers.constant import Constant
from masking.transformers.coordinates import Coordinates
from masking.transformers.email import Email
from masking.transformers.generalise import Generalise
from masking.transformers.hashed import Hash
from masking.transformers.iban import Iban
from masking.transformers.ip import Ip
from masking.transformers.keep import Keep
from masking.transformers.name import Name
from masking.transformers.national_id import NationalId
from masking.transformers.noise import Noise
from masking.transformers.null import Null
from masking.transformers.partial import Partial
from masking.transformers.phone import Phone
from masking.transformers.place import Address, City, Postcode, Region, Street
from masking.transformers.prefix import Prefix
from masking.transformers.redact import Redact
from masking.transformers.replace import Replace
from masking.transformers.round import Round
from masking.transformers.shift import Shift
from masking.transformers.shuffle import Shuffle
from masking.transformers.template import Template
from masking.transformers.top_bottom import TopBottom
from masking.transformers.truncate import Truncate
from masking.transformers.url import Url
from masking.transformers.username import Username

TRANSFORMERS: tuple[type[Transformer], ...] = (
    Keep,
    Null,
    Constant,
    Hash,
    Code,
    Name,
    Username,
    Email,
    Phone,
    Company,
    JobTitle,
    Address,
    Street,
    City,
    Postcode,
    Region,
    Coordinates,
    Iban,
    Card,
    NationalId,
    Ip,
    Url,
    Template,
    Replace,
    Partial,
    Prefix,
    Truncate,
    Round,
    Noise,
    Bucket,
    TopBottom,
    Generalise,
    Shift,
    Shuffle,
    Redact,
)
