"""The user agents that browsers send, today or at any time: a few forms, in which little but the version changes.

Browsers froze the rest of the text (https://www.chromium.org/updates/ua-reduction/, and WebKit and Gecko likewise): every Mac tells
10_15_7, every Windows 10.0, and every Android phone "K". Newer versions are more frequent, as browsers update themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, repeat
from math import fsum
from operator import mul

import numpy as np

from datagen.arrays import DAY
from datagen.coded import Codes
from datagen.pools import Pool
from datagen.randomness import Int64, UInt64
from datagen.values.choices import by_weight
from schemas.times import EPOCH

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS, _MAC, _LINUX = "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

_CHROMES, _FIREFOXES = range(143, 127, -1), range(146, 130, -1)
_SAFARIS = ((26, 1), (26, 0), (18, 6), (18, 5), (18, 4), (18, 3), (18, 1), (17, 6), (17, 4), (16, 6))
_NEWER = 0.7  # each version is so many times as frequent as the one after it

_CHROME = {_WINDOWS: 42.0, _MAC: 14.0, _LINUX: 3.0, "Linux; Android 10; K": 5.0}  # shares in hundredths, in offices
_EDGE, _FIREFOX = 14.0, {_WINDOWS: 4.0, _MAC: 1.5, _LINUX: 1.5}
_SAFARI_MAC, _SAFARI_PHONE = 9.0, 6.0


Releases = Sequence[tuple[date, str]]


def _steady(oldest: int, every: int, turn: tuple[int, date], newest: tuple[int, date]) -> Releases:
    """Versions up to the newest, evenly spaced since the turn and so many days apart before it."""
    (turned, at), (last, latest) = turn, newest
    early = [(at - timedelta(every * (turned - version)), str(version)) for version in range(oldest, turned)]
    return [*early, *((at + (latest - at) * (version - turned) // (last - turned), str(version)) for version in range(turned, last + 1))]


_CHROME_RELEASES = _steady(48, 44, (94, date(2021, 9, 21)), (143, date(2025, 12, 2)))
_FIREFOX_RELEASES = _steady(44, 39, (92, date(2021, 9, 7)), (146, date(2025, 12, 9)))
_EDGE_RELEASES = (  # its own engine, up to the move to that of Chrome
    (date(2016, 8, 2), "14.14393"), (date(2017, 4, 5), "15.15063"), (date(2017, 10, 17), "16.16299"), (date(2018, 4, 30), "17.17134"),
    (date(2018, 11, 13), "18.17763"), *_CHROME_RELEASES[-65:],
)  # fmt: skip
_SAFARI_RELEASES = (
    (date(2015, 9, 30), "9.0"), (date(2016, 9, 20), "10.0"), (date(2017, 9, 19), "11.0"), (date(2018, 9, 17), "12.0"),
    (date(2019, 9, 19), "13.0"), (date(2020, 3, 24), "13.1"), (date(2020, 9, 16), "14.0"), (date(2021, 4, 26), "14.1"),
    (date(2021, 9, 20), "15.0"), (date(2022, 3, 14), "15.4"), (date(2022, 9, 12), "16.0"), (date(2023, 1, 23), "16.3"),
    (date(2023, 5, 18), "16.5"), (date(2023, 9, 18), "17.0"), (date(2024, 3, 5), "17.4"), (date(2024, 7, 29), "17.6"),
    (date(2024, 9, 16), "18.0"), (date(2024, 12, 11), "18.2"), (date(2025, 3, 31), "18.4"), (date(2025, 7, 29), "18.6"),
    (date(2025, 9, 15), "26.0"), (date(2025, 11, 3), "26.1"),
)  # fmt: skip
_LAGS = 8  # so many versions behind the newest at most


@dataclass(frozen=True)
class Browsers:
    """Browsers over time: `current[form, day]` is the place in `texts` of what a form sends on a day, and `oldest[form]` its first."""

    texts: tuple[str, ...]
    forms: Callable[[UInt64], Codes]
    lags: Callable[[UInt64], Codes]
    first_day: int
    current: Int64
    oldest: Int64

    def places(self, times: Int64, draws: UInt64) -> Int64:
        """What is sent at times in microseconds since 1970: a draw says which form, and how far its version is behind."""
        form, lag = self.forms(draws), self.lags(draws << np.uint64(32))
        day = np.clip(times // DAY - self.first_day, 0, self.current.shape[1] - 1)
        found: Int64 = np.maximum(self.current[form, day] - lag, self.oldest[form])
        return found


@cache
def browsers() -> Browsers:
    """Return those of the last ten years; what comes later is of the newest versions."""
    shares = {
        **{_chrome(system, "{v}"): (share, _CHROME_RELEASES) for system, share in _CHROME.items()},
        "{edge}": (_EDGE, _EDGE_RELEASES),
        **{_firefox(system, "{v}"): (share, _FIREFOX_RELEASES) for system, share in _FIREFOX.items()},
        "{mac}": (_SAFARI_MAC, _SAFARI_RELEASES),
        "{phone}": (_SAFARI_PHONE, _SAFARI_RELEASES),
    }
    epoch = EPOCH.date()
    first, last = (_CHROME_RELEASES[0][0] - epoch).days, (_FIREFOX_RELEASES[-1][0] - epoch).days
    texts: list[str] = []
    current, oldest = [], []
    for form, (_, releases) in shares.items():
        days = np.array([(day - epoch).days for day, _ in releases], np.int64)
        newest = np.searchsorted(days, np.arange(first, last + 1), side="right") - 1
        current.append(len(texts) + np.maximum(newest, 0))
        oldest.append(len(texts))
        for _, version in releases:
            texts.append(
                form.format(v=version, edge=_edge(version), mac=_safari(version, mobile=False), phone=_safari(version, mobile=True))
            )
    forms, lags = by_weight([share for share, _ in shares.values()]), by_weight(_falling(_LAGS))
    return Browsers(tuple(texts), forms, lags, first, np.array(current), np.array(oldest))


def user_agents() -> Pool:
    """Return those of today, each with how often it is met."""
    found: dict[str, float] = {}
    for share, version in zip(_falling(len(_CHROMES)), _CHROMES, strict=True):
        for system, often in _CHROME.items():
            found[_chrome(system, version)] = often * share
        found[_edge(version)] = _EDGE * share
    for share, version in zip(_falling(len(_FIREFOXES)), _FIREFOXES, strict=True):
        for system, often in _FIREFOX.items():
            found[_firefox(system, version)] = often * share
    for share, (major, minor) in zip(_falling(len(_SAFARIS)), _SAFARIS, strict=True):
        found[_safari(f"{major}.{minor}", mobile=False)] = _SAFARI_MAC * share
        found[_safari(f"{major}.{minor}", mobile=True)] = _SAFARI_PHONE * share
    return Pool(tuple(found), tuple(found.values()))


def _chrome(system: str, version: int | str) -> str:
    mobile = " Mobile" if "Android" in system else ""
    return f"Mozilla/5.0 ({system}) {_WEBKIT} Chrome/{version}.0.0.0{mobile} Safari/537.36"


def _edge(version: int | str) -> str:
    if "." in str(version):
        return f"Mozilla/5.0 ({_WINDOWS}) {_WEBKIT} Chrome/64.0.3282.140 Safari/537.36 Edge/{version}"
    return f"{_chrome(_WINDOWS, version)} Edg/{version}.0.0.0"


def _firefox(system: str, version: int | str) -> str:
    return f"Mozilla/5.0 ({system.replace('10_15_7', '10.15')}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"


def _safari(version: str, *, mobile: bool) -> str:
    if not mobile:
        return f"Mozilla/5.0 ({_MAC}) {_SAFARI} Version/{version} Safari/605.1.15"
    system = "18_6" if version.startswith("26.") else version.replace(".", "_")
    return f"Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) {_SAFARI} Version/{version} Mobile/15E148 Safari/604.1"


def _falling(versions: int) -> list[float]:
    """The shares of versions, the newest first, with the sum 1; reckoned so that every Python and machine has the same."""
    raw = list(accumulate(repeat(_NEWER, versions - 1), mul, initial=1.0))
    return [r / fsum(raw) for r in raw]
