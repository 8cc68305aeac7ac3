"""Values that are told by their form: addresses of the net, numbers with check digits, phones, dates, secrets, what a label announces.

Every repetition is bounded, so the time is linear in the length of the text. Patterns are looked for only where their marks stand.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Iterator

from masking.text.checks import NATIONAL_IDS, NEEDS_CONTEXT, digits, is_card, is_iban, is_national_id
from masking.text.found import Found

SURE, LIKELY, POSSIBLE = 0.99, 0.85, 0.6

_EMAIL = re.compile(r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]{0,62}))(?:\.[^\W_][\w-]{0,62}){1,8}")
_URL = re.compile(r"(?i)(?<![a-z0-9])(?:[a-z][a-z0-9+.-]{1,20}://|www\d?\.)[^\s<>\"'`\\|^{}]{2,2000}")
_HANDLE = re.compile(r"(?<![\w@./])@[A-Za-z]\w{2,38}\b")
_URL_TAIL = ".,;:!?)]}'\""
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])")
_COORDINATES = re.compile(r"(?<![\d.])-?\d{1,3}\.\d{3,15}°?\s?[NS]?,\s{0,3}-?\d{1,3}\.\d{3,15}°?\s?[EW]?(?![\d])")
_GEOMETRY = re.compile(r"(?i)\b(?:SRID=\d{1,6};\s?)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s?(?:ZM?|M)?\s?\([-\d.,\s()]{1,5000}\)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_LONG = re.compile(r"(?<![\d.])\d(?:[ -]?\d){11,18}(?![\d]|\.\d)")
_SSN = re.compile(r"(?<![\w-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])")
# between two groups of digits stands at least one other character: were it optional, a long number could be cut in countless ways
_PHONE = re.compile(
    r"(?<![\w.:@/-])(?<!\d,)(?:\+\s?|\(\+?)?\d{1,15}\)?(?:(?:[ .\-/\u2011\u2013]{1,2}\(?|\(|(?<=\)))\d{1,15}\)?){0,8}"
    r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?!\w)"
)
_DECIMAL = re.compile(r"\d+[.,]\d+$|\d{1,3}(?:,\d{3})+(?:\.\d+)?$|\d{1,3}(?:\.\d{3})+(?:,\d+)?$")
_YEARS = re.compile(r"(?:1[89]|20)\d\d\s?[-/–]\s?(?:1[89]|20)\d\d$")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|"
    r"januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|"
    r"settembre|ottobre|dicembre)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th|\.)?"
_DATE = re.compile(
    rf"(?i)(?<![\w.,/-])(?:(?:1[6-9]|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    rf"(?:[T ]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,9}})?)?\s?(?:Z|UTC|[+-]\d{{2}}:?\d{{2}})?)?"
    rf"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:1[6-9]|20)\d\d|\d\d)(?:,?\s\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?[ap]m)?)?"
    rf"|{_DAY}\s(?:of\s|de\s)?{_MONTH}\.?(?:,?\s(?:de\s)?\d{{4}})?|{_MONTH}\.?\s{_DAY}(?:,?\s\d{{4}})?|{_MONTH}\.?,?\s(?:1[6-9]|20)\d\d)(?![\w/])"
)
_YEAR = re.compile(r"(?<![\w.,/:$€£+#-])(?:1[6-9]|20)\d\d(?:s\b)?(?![\w]|[.,:/-]\d|\s?(?:%|€|\$|items|rows|users|ms|px|kg|km))")
_WEEKDAY = re.compile(r"(?i)\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b")
_BORN = re.compile(r"(?i)(?:\bborn\b|\bbirth\w{0,5}|\bd\.?o\.?b\b\.?|geboren|naissance|nacimiento|nascita)[^\n]{0,25}$")
_AGE = re.compile(
    r"(?i)\b(?:(\d{1,3})[\s-]?(?:years?[\s-]olds?|y/?o\b|yrs?\b)"
    r"|(?:aged?|age of|age:|age is|turned|turning|turns)\s(\d{1,3})\b(?!\s?(?:%|days|hours|minutes)))"
)
_MILITARY = re.compile(
    r"(?i)\b(?:(?:PSC|Unit|CMR)\s\d{1,5},?\s(?:Box|P\.?O\.? Box)\s\d{1,5}|(?-i:(?:USS|USNV|USNS|USCGC|USNV)\s[A-Z]\w{1,20}))"
    r"(?:[,\s]{1,3}[AFD]PO,?\sA[AEP],?\s\d{5}(?:-\d{4})?)?|\b[AFD]PO,?\sA[AEP],?\s\d{5}(?:-\d{4})?\b"
    r"|\bp\.?\s?o\.?\s?box\s#?\d{1,7}\b|\bpostfach\s\d[\d ]{1,8}\d\b"
)
_ANNOUNCED = re.compile(
    r"(?i)\b(?:(?P<postcode>zip(?:\s?code)?|post(?:al)?\s?code|plz|postleitzahl)"
    r"|(?P<passport>passport)|(?P<driving_licence>driv(?:er'?s?|ing)\slicen[cs]e)"
    r"|(?P<bank_account>(?:bank\s|checking\s|savings\s)?acc(?:oun)?t|routing|konto|sort\scode|bic|swift)"
    r"|(?P<tax_id>tax\s?id|vat(?:\sid)?|tin|ein|steuernummer)|(?P<national_id>ssn|social\ssecurity|national\sid|nhs|identity\scard|personal\scode|id\scard)"
    r"|(?P<vehicle>licen[cs]e\splate|number\splate|plate|vin|registration)|(?P<device_id>imei|imsi|serial|device\sid)"
    r"|(?P<person_id>(?:patient|member|customer|employee|policy|insurance|student|client)(?:\sid)?)|(?P<credit_card>card|cvv|cvc))"
    r"(?:\s?(?:no\b\.?|nr\b\.?|number|num|code|id|plate|#))?(?:\s(?:is|was|reads|of))?\s?[:#=]?\s?#?"
    r"(?P<value>(?=[A-Z0-9-]{0,20}\d)[A-Z0-9](?:[A-Z0-9]|[ -](?=\d)){2,24}[A-Z0-9])(?!\w)"
)
# the number of a person in a log, which may be short: `customer_id=17`, `user.id: 4`, `client no. 42`, `/users/5`; no `#1 in line`
_PERSON = "(?:user|usr|account|acct|customer|cust|client|patient|member|employee|student|person|subscriber|guest|contact)"
_NUMBERED = re.compile(
    rf"(?i)(?:(?:(?<![a-z])|(?-i:(?<=[a-z])(?=[A-Z])))(?:{_PERSON}(?:(?:s?\.id|s?\[[\"']?id[\"']?\]|[\s_-]?(?:id|no\b\.?|nr\b\.?|num|number))"
    rf"[\"']?\s?[:=#>]{{0,2}}\s?|[\"']?\s?[=#]\s?|:(?=\d))|uid[\"']?\s?[:=#]\s?)|/{_PERSON}s?/)"
    r"[\"'#]?(?P<value>\d{1,12})(?![\w-]|[.,:]\d|\s(?:in\s(?:the\s)?(?:line|queue|row)|of\s\d))"
)
# `user_id IN (5, 6)`, `"userIds": [4, 5]`
_NUMBERED_LIST = re.compile(
    rf"(?i)(?:(?<![a-z])|(?-i:(?<=[a-z])(?=[A-Z]))){_PERSON}(?:s?\.id|[\s_-]?ids?)[\"']?\s?(?:in\s?|[:=]{{1,2}}>?\s?)"
    r"[(\[{](?P<values>\s?[\"']?\d{1,12}[\"']?(?:\s?,\s?[\"']?\d{1,12}[\"']?){0,1000})(?!\d|\.\d)"
)
_PHONE_WORDS = re.compile(
    r"(?i)(?:phone|call|tel\b|tel\.|telefon\w*|mobile?|cell|fax|desk|ring|text|whatsapp|sms|number|reach|dial|contact|office)\W[^\n]{0,30}$"
)
_CARD_WORDS = re.compile(r"(?i)\b(?:card|visa|mastercard|amex|credit|debit|cc)\b")
_ID_WORDS = re.compile(
    r"(?i)\b(?:ssn|social security|national|identi\w+|id|nhs|pesel|bsn|sin|tax|steuer\w*|aadhaar|personal|insurance|fødselsnummer|cpf|nif"
    r"|citizen)\b"
)
_SECRET = re.compile(
    r"(?i)\b(?:pass(?:word|wd|phrase|code)|pwd|pin(?:\scode)?|secret|api[_ -]?key|access[_ -]?token|token)"
    r"\s?(?:is|was|:|=)\s?[\"']?(?P<value>[^\s\"',;]{4,200})"
)
_TOKEN = re.compile(
    r"(?<![\w-])(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,100}|sk[-_](?:live_|test_)?\w{16,100}|xox[abps]-[\w-]{10,100}|AIza[\w-]{35}"
    r"|eyJ[\w-]{8,2000}\.[\w-]{8,2000}\.[\w-]{8,2000})"
)
# what is written in base64, in words of mail headers (RFC 2047) and elsewhere, and digests, in hexadecimal
_ENCODED_WORD = re.compile(r"=\?[\w-]{1,40}\?[BbQq]\?[^?\s]{1,200}\?=")
_BASE64 = re.compile(r"[\w+/-]{16,4000}={0,2}", re.ASCII)
_URL_SAFE = str.maketrans("-_", "+/")
_DIGEST = re.compile(r"(?<!\w)(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?!\w)", re.IGNORECASE)
# host, identity, user and time of a line in the log of a web server (Common Log Format)
_LOGGED = re.compile(r"(?<!\S)\S{1,64} \S{1,64} (?P<value>[^\s\"-]\S{1,63}) \[\d{2}/[A-Za-z]{3}/\d{4}:\d{2}:\d{2}")
# what the server says in such a line of itself: the time, and behind the request (or the word) its protocol, status and size
_OF_SERVER = re.compile(
    r"\[\d{2}/[A-Za-z]{3}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\]|(?<= )HTTP/\d(?:\.\d)?\"(?: [1-5]\d\d(?: (?:\d{1,12}|-))?(?![\w.,-]))?"
    r"|\b[Ss]tatus(?: code)?[ :=]{1,2}[1-5]\d\d(?: \d{1,6})?(?![\w.,-])"  # more digits may be a telephone number
)
_HOME = re.compile(r"(?:\b[A-Za-z]:\\{1,2}[Uu]sers\\{1,2}|(?<!\w)/Users/)(?!Public\b|Shared\b|Default\b)(?P<value>\w[\w.-]{0,40}\w)")
_EXTENSION = re.compile(
    r"(?i)(?<=[\w)\]])\.(?P<ending>pdf|docx?|odt|rtf|txt|xlsx?|ods|csv|tsv|pptx?|odp|jpe?g|png|gif|tiff?|heic|svg|mp[34]|wav|mov|zip|gz|7z|json"
    r"|xml|ya?ml|html?|eml|msg|vcf|ics|log)(?![\w@-]|\.\w)"
)
_IDS = [(kind, entity, re.compile(rf"(?<![\w.+-])(?:{written})(?![\w-]|\.\d)")) for kind, (entity, written) in NATIONAL_IDS.items()]
_DIGIT, _DIGITS = re.compile(r"\d"), re.compile(r"\d+")
_DIGIT_RUN = re.compile(r"\d(?:\D{0,2}\d){5}")
_NEAR = 60
_LONGEST_PHONE = 15  # E.164


def scan(text: str) -> list[Found]:
    """Return what the patterns find in a text; spans may overlap."""
    found: list[Found] = []
    if "@" in text:
        found += (_at(m, "email", SURE) for m in _EMAIL.finditer(text))
        found += (_at(m, "username", LIKELY) for m in _HANDLE.finditer(text))
    if "sers" in text:
        found += (Found(m.start("value"), m.end("value"), "username", LIKELY) for m in _HOME.finditer(text))
    if "://" in text or "www" in text or "WWW" in text:
        found += _urls(text)
    if ":" in text or "=" in text or " is " in text or " was " in text:
        found += (Found(m.start("value"), m.end("value"), "password", LIKELY) for m in _SECRET.finditer(text))
    found += (_at(m, "date", LIKELY) for m in _WEEKDAY.finditer(text))
    if "=?" in text:
        found += (_at(m, "person_name", LIKELY) for m in _ENCODED_WORD.finditer(text))
    found += (_at(m, "secret", LIKELY) for m in _BASE64.finditer(text) if _is_encoded(m.group()))
    if _DIGIT.search(text):
        found += _dates(text)
        found += (_at(m, "person_id", LIKELY, 1) for m in _NUMBERED.finditer(text))
        found += _numbered_lists(text)
        found += (_at(m, "secret", POSSIBLE) for m in _DIGEST.finditer(text))
        found += (_at(m, "address", SURE) for m in _MILITARY.finditer(text))
        found += (_at(m, "age", LIKELY, m.lastindex or 0) for m in _AGE.finditer(text) if int(m[m.lastindex or 0]) < 130)
        found += _announced(text)
        found += (_at(m, "secret", SURE) for m in _TOKEN.finditer(text))
        if "." in text:
            found += _dotted(text)
        found += (_at(m, "coordinates", SURE) for m in _GEOMETRY.finditer(text))
        if _DIGIT_RUN.search(text):
            found += _numbers(text)
        if " [" in text:
            found += _logged(text)
    if text.count(":") > 1:
        found += _net(text)
    return found


def _at(match: re.Match[str], entity: str, score: float, group: int = 0) -> Found:
    return Found(match.start(group), match.end(group), entity, score)


def _is_encoded(token: str) -> bool:
    """Whether a word is a text in base64, in either alphabet: other words and numbers are not UTF-8 when they are decoded."""
    plain = token.rstrip("=").translate(_URL_SAFE)
    try:
        return "".join(b64decode(plain + "=" * (-len(plain) % 4)).decode().split()).isprintable()
    except ValueError:
        return False


def _urls(text: str) -> Iterator[Found]:
    for match in _URL.finditer(text):
        end = match.end()
        while end > match.start() and text[end - 1] in _URL_TAIL:
            end -= 1
        yield Found(match.start(), end, "url", SURE)


def _net(text: str) -> Iterator[Found]:
    for match in _MAC.finditer(text):
        yield _at(match, "mac_address", SURE)
    for match in _IPV6.finditer(text):
        try:
            ipaddress.IPv6Address(match.group())
        except ValueError:
            continue
        if sum(c.isalnum() for c in match.group()) > 1:
            yield _at(match, "ip_address", SURE)


def _dates(text: str) -> Iterator[Found]:
    for match in _DATE.finditer(text):
        born = _BORN.search(text, max(0, match.start() - _NEAR), match.start())
        yield _at(match, "birth_date" if born else "date", SURE)
    for match in _YEAR.finditer(text):
        yield _at(match, "date", POSSIBLE - 0.1)


def _logged(text: str) -> Iterator[Found]:
    """The users of lines of a log, and where they stand again in their lines, as in the address that was asked for."""
    users = list(_LOGGED.finditer(text))
    for number, user in enumerate(users, start=1):
        after = users[number].start() if number < len(users) else len(text)
        end = text.find("\n", user.end(), after)
        again = re.compile(rf"(?<!\w){re.escape(user['value'])}(?!\w)")
        yield from (_at(match, "username", SURE) for match in again.finditer(text, user.start("value"), end if end >= 0 else after))


def without_extensions(text: str, found: list[Found]) -> list[Found]:
    """What was found in a text but for the endings of names of files."""
    if "." not in text:
        return found
    endings = dict(match.span("ending") for match in _EXTENSION.finditer(text))
    return [f for f in found if f.end > endings.get(f.start, -1)]


def without_server(text: str, found: list[Found]) -> list[Found]:
    """What was found in a text but for what stands in the part of a log's line that tells of the server alone."""
    if "[" not in text and "HTTP/" not in text and "tatus" not in text:
        return found
    starts, ends = [0], [0]
    for match in _OF_SERVER.finditer(text):
        starts.append(match.start())
        ends.append(match.end())
    return [f for f in found if f.end > ends[bisect_right(starts, f.start) - 1]]


def _numbered_lists(text: str) -> Iterator[Found]:
    for match in _NUMBERED_LIST.finditer(text):
        yield from (_at(number, "person_id", LIKELY) for number in _DIGITS.finditer(text, match.start("values"), match.end("values")))


def _announced(text: str) -> Iterator[Found]:
    for match in _ANNOUNCED.finditer(text):
        entity = next(name for name, value in match.groupdict().items() if value is not None and name != "value")
        value = match["value"]
        if entity == "postcode" or len(digits(value)) >= (3 if entity in ("vehicle", "credit_card") else 5):
            yield Found(match.start("value"), match.end("value"), entity, LIKELY + 0.07)


def _numbers(text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        yield from _iban(match)
    for match in _LONG.finditer(text):
        if is_card(match.group()):
            yield _at(match, "credit_card", SURE)
        elif _CARD_WORDS.search(text, max(0, match.start() - _NEAR), match.end() + _NEAR):
            yield _at(match, "credit_card", POSSIBLE)
    for match in _SSN.finditer(text):
        yield _at(match, "national_id", LIKELY + 0.1)
    for kind, entity, pattern in _IDS:
        for match in pattern.finditer(text):
            near = kind not in NEEDS_CONTEXT or _ID_WORDS.search(text, max(0, match.start() - _NEAR), match.end() + _NEAR)
            if near and is_national_id(kind, match.group()):
                yield _at(match, entity, SURE - 0.02)
    yield from _phones(text)


def _dotted(text: str) -> Iterator[Found]:
    for match in _IPV4.finditer(text):
        if all(int(part) < 256 for part in match.group().split(".")):
            yield _at(match, "ip_address", SURE)
    for match in _COORDINATES.finditer(text):
        yield _at(match, "coordinates", SURE)


def _iban(match: re.Match[str]) -> Iterator[Found]:
    """The longest beginning, by whole groups, whose check digits are right; a word may follow the number without a stop."""
    value = match.group()
    while len(value) > 14:
        if is_iban(value):
            yield Found(match.start(), match.start() + len(value), "iban", SURE)
            return
        shorter = max(value.rfind(" "), value.rfind("-"))
        if shorter < 14:
            return
        value = value[:shorter]


def _phones(text: str) -> Iterator[Found]:
    for match in _PHONE.finditer(text):
        value = match.group()
        count = sum(map(str.isdigit, value.partition("x")[0]))
        if not 6 <= count <= _LONGEST_PHONE or _DECIMAL.match(value) or _YEARS.match(value):
            continue
        announced = _PHONE_WORDS.search(text, max(0, match.start() - _NEAR), match.start()) is not None
        grouped = not value.isdigit()
        if value.startswith(("+", "00", "(+")) and count >= 8:
            yield _at(match, "phone", LIKELY + 0.08)
        elif announced and count >= 6:
            yield _at(match, "phone", LIKELY + 0.05)
        elif (grouped and count >= 7) or (count in (9, 10, 11) and value[0] == "0") or count == 10:
            yield _at(match, "phone", POSSIBLE)
