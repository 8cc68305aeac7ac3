"""The script of a text, and the locale whose values are written in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.octets import are_ascii, octets_of
from masking.pools import language, locales
from schemas.errors import nearest

# script, by its ranges of code points: the languages that are written in it, with the locale that stands for each; the first is taken
# where the policy's own language is none of them
_SCRIPTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("kana", r"[\x{3040}-\x{30FF}]", {"ja": "ja_JP"}),
    ("hangul", r"[\x{AC00}-\x{D7A3}]", {"ko": "ko_KR"}),
    ("han", r"[\x{3400}-\x{9FFF}]", {"zh": "zh_CN", "ja": "ja_JP"}),
    ("cyrillic", r"[\x{0400}-\x{04FF}]", {"ru": "ru_RU", "uk": "uk_UA", "bg": "bg_BG", "mk": "mk_MK"}),
    ("arabic", r"[\x{0600}-\x{06FF}]", {"ar": "ar_AA", "fa": "fa_IR"}),
    ("greek", r"[\x{0370}-\x{03FF}]", {"el": "el_GR"}),
    ("hebrew", r"[\x{0590}-\x{05FF}]", {"he": "he_IL"}),
    ("devanagari", r"[\x{0900}-\x{097F}]", {"hi": "hi_IN", "mr": "mr_IN", "ne": "ne_NP"}),
    ("bengali", r"[\x{0980}-\x{09FF}]", {"bn": "bn_BD"}),
    ("gujarati", r"[\x{0A80}-\x{0AFF}]", {"gu": "gu_IN"}),
    ("tamil", r"[\x{0B80}-\x{0BFF}]", {"ta": "ta_IN"}),
    ("thai", r"[\x{0E00}-\x{0E7F}]", {"th": "th_TH"}),
    ("georgian", r"[\x{10A0}-\x{10FF}]", {"ka": "ka_GE"}),
    ("armenian", r"[\x{0530}-\x{058F}]", {"hy": "hy_AM"}),
)
_LATIN = "en_US"
_OF_LANGUAGE = {name: script for script, _, languages in _SCRIPTS for name in languages}


def locales_of(texts: pa.Array, locale: str) -> pa.Array:
    """Return the locale (`string`) whose values fit each text: `locale` where its language is written in the text's script.

    Chinese characters are Japanese where `locale` is, else Chinese; with kana among them they are Japanese in any case. Texts
    in Latin letters are English under a locale of another script. Scripts that are not known count as Latin.
    """
    result = pa.repeat(pa.scalar(_of_latin(locale)), len(texts))
    foreign = pc.invert(pc.string_is_ascii(texts)).fill_null(False)
    some = texts.filter(foreign)
    if not len(some):
        return result
    found = result.filter(foreign)
    for _, letters, languages in reversed(_SCRIPTS):
        fitting = locale if language(locale) in languages else next(iter(languages.values()))
        found = pc.if_else(pc.match_substring_regex(some, letters), pa.scalar(fitting), found)
    return pc.replace_with_mask(result, foreign, found)


def foreign_locales(values: pa.Array, locale: str) -> set[str]:
    """Return the locales of the texts that are not all ASCII; none, where `values` are no texts."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return set()
    foreign = values.filter(pc.invert(pc.string_is_ascii(values)))
    return set(locales_of(foreign, locale).unique().to_pylist())


def by_locale(texts: pa.Array, locale: str, masked: Callable[[str, npt.NDArray[np.int64]], pa.Array]) -> pa.Array:
    """Mask texts locale by locale: `masked` gets a locale and the rows of it, and returns their masked texts."""
    if are_ascii(octets_of(texts)[1]):
        return masked(_of_latin(locale), np.arange(len(texts)))
    found = locales_of(texts, locale).dictionary_encode()
    names, codes = found.dictionary.to_pylist(), found.indices.to_numpy()
    if len(names) == 1:
        return masked(names[0], np.arange(len(texts)))
    order = [np.flatnonzero(codes == i) for i in range(len(names))]
    parts = pa.concat_arrays([masked(name, rows) for name, rows in zip(names, order)])
    back = np.empty(len(texts), np.int64)
    back[np.concatenate(order)] = np.arange(len(texts))
    return parts.take(pa.array(back))


def _of_latin(locale: str) -> str:
    """The locale of texts in Latin letters."""
    return locale if language(locale) not in _OF_LANGUAGE else _LATIN


def known_locale(where: str, locale: str) -> str:
    """Return `locale`; raises TransformerUnfit where there are no values for it."""
    if locale not in locales():
        raise TransformerUnfit(f"{where}: there are no values for the locale '{locale}'{nearest(locale, locales())}")
    return locale
