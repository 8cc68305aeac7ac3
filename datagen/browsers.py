"""The user agents that browsers send today: a few forms, in which little but the version changes.

Browsers froze the rest of the text (https://www.chromium.org/updates/ua-reduction/, and WebKit and Gecko likewise): every Mac tells
10_15_7, every Windows 10.0, and every Android phone "K". Newer versions are more frequent, as browsers update themselves.
"""

from __future__ import annotations

from itertools import accumulate, repeat
from math import fsum
from operator import mul

from datagen.pools import Pool

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS, _MAC, _LINUX = "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

_CHROMES, _FIREFOXES = range(143, 127, -1), range(146, 130, -1)
_SAFARIS = ((26, 1), (26, 0), (18, 6), (18, 5), (18, 4), (18, 3), (18, 1), (17, 6), (17, 4), (16, 6))
_NEWER = 0.7  # each version is so many times as frequent as the one after it

_CHROME = {_WINDOWS: 42.0, _MAC: 14.0, _LINUX: 3.0, "Linux; Android 10; K": 5.0}  # shares in hundredths, in offices
_EDGE, _FIREFOX = 14.0, {_WINDOWS: 4.0, _MAC: 1.5, _LINUX: 1.5}
_SAFARI_MAC, _SAFARI_PHONE = 9.0, 6.0


def user_agents() -> Pool:
    """Return them, each with how often it is met."""
    found: dict[str, float] = {}
    for share, version in zip(_falling(len(_CHROMES)), _CHROMES, strict=True):
        for system, often in _CHROME.items():
            mobile = " Mobile" if "Android" in system else ""
            found[f"Mozilla/5.0 ({system}) {_WEBKIT} Chrome/{version}.0.0.0{mobile} Safari/537.36"] = often * share
        found[f"Mozilla/5.0 ({_WINDOWS}) {_WEBKIT} Chrome/{version}.0.0.0 Safari/537.36 Edg/{version}.0.0.0"] = _EDGE * share
    for share, version in zip(_falling(len(_FIREFOXES)), _FIREFOXES, strict=True):
        for system, often in _FIREFOX.items():
            named = system.replace("10_15_7", "10.15")
            found[f"Mozilla/5.0 ({named}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"] = often * share
    for share, (major, minor) in zip(_falling(len(_SAFARIS)), _SAFARIS, strict=True):
        release = f"{major}.{minor}"
        found[f"Mozilla/5.0 ({_MAC}) {_SAFARI} Version/{release} Safari/605.1.15"] = _SAFARI_MAC * share
        phone = f"iPhone; CPU iPhone OS {'18_6' if major == 26 else f'{major}_{minor}'} like Mac OS X"
        found[f"Mozilla/5.0 ({phone}) {_SAFARI} Version/{release} Mobile/15E148 Safari/604.1"] = _SAFARI_PHONE * share
    return Pool(tuple(found), tuple(found.values()))


def _falling(versions: int) -> list[float]:
    """The shares of versions, the newest first, with the sum 1; reckoned so that every Python and machine has the same."""
    raw = list(accumulate(repeat(_NEWER, versions - 1), mul, initial=1.0))
    return [r / fsum(raw) for r in raw]
