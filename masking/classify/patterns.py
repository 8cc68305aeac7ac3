"""Patterns of values that say by themselves what they are: e-mail addresses, IP addresses, keys, dates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from itertools import pairwise

from masking.classify.dictionaries import vocabulary
from masking.transformers.number_plan import phonenumbers_library

Test = Callable[[str], bool]
LONGEST = 2000

_EMAIL = re.compile(r"(?i)(?:mailto:|[^<>@]{0,80}<)?[^\s@<>\"',;:]{1,64}@[^\s@<>\"',;:]+\.[^\s@<>\"',;:.]{2,}>?")
_URL = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]*://|www\.)\S+")
_MAC = re.compile(r"(?i)(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")
_UUID = re.compile(r"(?i)\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?")
_HASH = re.compile(r"(?i)(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})")
_PASSWORD = re.compile(r"(?:\$(?:2[abxy]?|argon2(?:id|i|d)|pbkdf2[\w-]*|scrypt|5|6|1|y|apr1)\$|pbkdf2_sha\d+\$|\{SSHA\d*\}|sha256\$).{8,}")
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_SECRET = re.compile(r"(?:[a-z]{2,8}_)?[A-Za-z0-9_+/=-]{10,}")
_AGENT = re.compile(r"(?:Mozilla|Opera|Dalvik|okhttp|curl|python-requests|PostmanRuntime)/\d.*")
_PHONE = re.compile(r"(?:\+|00)?[\d\s().\-/]{6,22}(?:\s?(?:x|ext\.?|#)\s?\d{1,6})?", re.IGNORECASE)
_PHONE_MARK = re.compile(r"^\+|^00|^\(|\d[\s().\-/]+\d")
_PART_OF_NUMBER = re.compile(r"[*xX•#]{2,16}(?:[ -]?[*xX•#]{2,6}){0,4}[ -]?\d{2,6}")
_COORDINATES = re.compile(
    r"\(?\s*-?\d{1,3}\.\d{3,}\s*[,; ]\s*-?\d{1,3}\.\d{3,}\s*\)?"
    r"|(?:SRID=\d+;\s*)?(?:(?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION)\s*(?:ZM?|M)?\s*\(.*\)",
    re.IGNORECASE,
)
# a time of day and its zone, and nothing else: a line of a log begins with a date as well
_TIME = (
    r"\s?\d{1,2}:\d{2}(?::\d{2}(?:[.,:]\d{1,9})?)?(?:\s?[AaPp]\.?[Mm]\.?)?(?:\s?(?:[A-Z]{1,5}|[+-]\d{2}(?::?\d{2})?))?(?:\s?\[[\w/+-]+\])?"
)
_ISO_DATE = re.compile(rf"(\d{{4}})-(\d\d)-(\d\d)(?:[T ]{_TIME})?")
_DATES = (
    _ISO_DATE,
    re.compile(rf"(?P<d>\d{{1,2}})[./-](?P<m>\d{{1,2}})[./-](?P<y>\d{{4}})(?:,?\s{_TIME})?"),
    re.compile(r"(?P<y>(?:19|20)\d\d)[/.]?(?P<m>0[1-9]|1[0-2])[/.]?(?P<d>0[1-9]|[12]\d|3[01])"),
)
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:[ ,.']\d{3})*(?:[.,]\d+)?|[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")
_VERSION = re.compile(r"v?\d+(?:\.\d+){1,3}(?:[-+][\w.]+)?")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_MIME = re.compile(r"(?:application|audio|font|image|message|model|multipart|text|video)/[\w.+-]+")
_ZONE = re.compile(r"(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc|US)/\w[\w/+-]+|UTC|GMT")
_LOCALE = re.compile(r"[a-z]{2,3}[-_][A-Z]{2}")
_PATH = re.compile(r"(?:[A-Za-z]:\\|\.{0,2}/)?(?:[\w.@-]+[/\\])+[\w.@-]+|[\w-]+\.(?:[a-z]{2,4}|json|html|jpeg|parquet)")
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_ROUTE = re.compile(r"[a-z][\w-]*(?:[.:_/-][a-z][\w-]*)+")
_WORKING_DAY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?: ?[AaPp][Mm])?")
_POSTCODE = re.compile(
    r"\d{5}(?:-\d{4})?|\d{4} ?[A-Z]{2}|\d{2}-\d{3}|\d{3} \d{2}|\d{5}-\d{3}|\d{4}-\d{3}|\d{3}-\d{4}"
    r"|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d"
    r"|(?:[A-Z]{1,2}-)\d{4,5}|[AC-FHKNPRTV-Y]\d[\dW] ?[\dAC-FHKNPRTV-Y]{4}"
)
_STREET_AND_NUMBER = re.compile(r"[^\W\d_][^\d,;:@/]{3,50}[ ,]+\d{1,4} ?[A-Za-z]?(?:[-/]\d{1,4})?|\d{1,5}[,]? [^\W\d_][^\d:;@]{3,50}")


_HEX = re.compile(r"(?:0x|\\x)?((?:[0-9a-fA-F]{2}){4,})")


def text_of_hex(text: str) -> str | None:
    """The words that are written in hexadecimal digits (UTF-8), None where they are none: digests and numbers are not."""
    found = _HEX.fullmatch(text)
    if found is None:
        return None
    try:
        plain = bytes.fromhex(found[1]).decode()
    except UnicodeDecodeError:
        return None
    return plain if plain.isprintable() and 2 * sum(c.isalpha() for c in plain) >= len(plain) else None


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def is_ip(text: str) -> bool:
    if "." not in text and ":" not in text:
        return False
    try:
        ip_address(text.partition("/")[0].strip("[]"))
    except ValueError:
        return False
    return True


def is_phone(text: str) -> bool:
    """Whether a text is written like a telephone number: 7 to 15 digits with a plus, parentheses or groups."""
    if _PHONE.fullmatch(text) is None or _PHONE_MARK.search(text) is None or is_ip(text) or date_in(text) is not None:
        return False
    digits = sum(c.isdigit() for c in text)
    plain_number = _NUMBER.fullmatch(text) is not None and not text.startswith("+")
    return 7 <= digits <= 18 and not plain_number


def is_dialled(text: str) -> bool:
    """Whether digits alone are a telephone number that exists, with two zeros before the code of its country."""
    if not (text.startswith("00") and text.isdigit() and 10 <= len(text) <= 17):
        return False
    phonenumbers = phonenumbers_library()
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse("+" + text[2:])))
    except phonenumbers.NumberParseException:
        return False


def is_digits(text: str) -> bool:
    """Whether a text could be a telephone number when its name says so: 6 to 15 digits and little else."""
    digits = sum(c.isdigit() for c in text)
    return 6 <= digits <= 18 and digits >= 0.6 * len(text)


def date_in(text: str) -> date | None:
    """The date that a text is written as, in the commonest forms; None where it is none."""
    for pattern in _DATES:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        year, month, day = (found["y"], found["m"], found["d"]) if "y" in pattern.groupindex else found.group(1, 2, 3)
        for m, d in ((month, day), (day, month)):
            try:
                return date(int(year), int(m), int(d))
            except ValueError:
                continue
    return None


def is_random(text: str, kinds: int) -> bool:
    """Whether a text looks drawn at random from so many kinds of small letters, capitals and digits, as keys and tokens are."""
    if _SECRET.fullmatch(text) is None or _UUID.fullmatch(text):
        return False
    tail = text.rpartition("_")[2] if "_" in text[:9] else text
    there = (any(c.islower() for c in tail), any(c.isupper() for c in tail), any(c.isdigit() for c in tail))
    return len(tail) >= 8 and sum(there) >= kinds and _turns(tail) >= len(tail) / (4 if kinds == 3 else 5)


def _turns(text: str) -> int:
    """How often small letters, capitals and digits follow one another."""
    kinds = ["a" if c.islower() else "A" if c.isupper() else "9" for c in text if c.isalnum()]
    return sum(1 for left, right in pairwise(kinds) if left != right and (left, right) != ("A", "a"))


def _full(pattern: re.Pattern[str]) -> Test:
    # nothing that has such a form is longer, and time stays in bounds whatever stands in a cell
    return lambda text: len(text) <= LONGEST and pattern.fullmatch(text) is not None


# what says by itself what it is, the most particular first
PERSONAL: tuple[tuple[str, str, Test], ...] = (
    ("email", "e-mail addresses", is_email),
    ("mac_address", "MAC addresses", _full(_MAC)),
    ("password", "hashed passwords", _full(_PASSWORD)),
    ("secret", "signed tokens", _full(_JWT)),
    ("device_id", "names of browsers", _full(_AGENT)),
    ("ip_address", "IP addresses", is_ip),
    ("credit_card", "the last digits of numbers", _full(_PART_OF_NUMBER)),
    ("coordinates", "pairs of coordinates", _full(_COORDINATES)),
)  # fmt: skip
# what is harmless, unless the name or the rows say otherwise
HARMLESS: tuple[tuple[str, Test], ...] = (
    ("truth values", lambda t: t.lower() in vocabulary()["truths"]),
    ("version numbers", _full(_VERSION)),
    ("colours", _full(_COLOUR)),
    ("media types", _full(_MIME)),
    ("time zones", _full(_ZONE)),
    ("locales", _full(_LOCALE)),
    ("times of day", _full(_WORKING_DAY)),
)  # fmt: skip

is_url = _full(_URL)
is_uuid = _full(_UUID)
is_hash = _full(_HASH)
is_number = _full(_NUMBER)
is_path = _full(_PATH)
is_host = _full(_HOST)
is_route = _full(_ROUTE)
is_postcode = _full(_POSTCODE)
is_street_and_number = _full(_STREET_AND_NUMBER)
