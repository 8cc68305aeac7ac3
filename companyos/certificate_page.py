"""The page of a certificate: what was masked and how, what became of the key, and the proof that nothing of the source is left.

It is made of the certificate alone, which holds counts, rules and digests, and no value of the source.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from companyos.page_parts import cards, data, document, fact_list, safe
from companyos.page_tables import Figure, card, figure_table, legend, plain_table
from companyos.risk_figures import UNKNOWN, class_bins, fixed, percent
from companyos.risk_plots import class_plot
from schemas.errors import InputError

SHAPE = 1

_PERSONAL = ("direct", "sensitive")
_ORIGINS = {
    "ephemeral": "an ephemeral key, made for this run",
    "env": "a key from an environment variable",
    "file": "a key from a file",
}
_FOOTER = "This page says what the certificate says, and holds no value of the source. ≈ marks what chance alone would give."


def certificate_page(certificate: Mapping[str, Any]) -> str:
    """Return the HTML of the certificate of a sanitized bundle (its provenance `certificate`); the same one makes the same bytes.

    Raises InputError for the shape of another version than `SHAPE`.
    """
    if certificate.get("certificate") != SHAPE:
        shape = certificate.get("certificate")
        raise InputError(f"certificates of shape {shape} are not known here, only of {SHAPE}; use the version that made this one")
    sections = [
        ("Proof", "proof", _proof(certificate["scan"], certificate["unchanged"])),
        ("Key", "key", _key(certificate["key"])),
        ("Risks", "risks", _risks(certificate["risks"])),
        ("Decisions", "decisions", _decisions(certificate["decisions"])),
        ("Subset and anonymity", "scope", _scope(certificate)),
        ("Tables", "tables", _tables(certificate["tables"])),
        ("Columns", "columns", _columns(certificate["columns"])),
        ("Prices of a search", "prices", _prices(certificate["prices"])),
        ("Made with", "made-with", _made_with(certificate)),
    ]
    shown = [(name, place, html) for name, place, html in sections if html]
    main = _head(certificate) + "\n".join(f'<section id="{place}"><h2>{name}</h2>{html}</section>' for name, place, html in shown)
    links = [("Overview", "main", ""), *((name, place, "") for name, place, _ in shown)]
    return document(f"{certificate['policy']['name']}: certificate", "Parts of the certificate", links, main, _FOOTER)


def _head(certificate: Mapping[str, Any]) -> str:
    policy, source, scan = certificate["policy"], certificate["source"], certificate["scan"]
    tables = [table for table in certificate["tables"] if not table["dropped"]]
    columns = certificate["columns"]
    facts = [
        ("tables", f"{len(tables):,} of {len(certificate['tables']):,}"),
        ("rows", f"{sum(t['rows'] for t in tables):,} of {sum(t['source_rows'] for t in certificate['tables']):,}"),
        ("columns", f"{len({(c['table'], c['column']) for c in columns}):,}"),
        ("of them kept", f"{len({(c['table'], c['column']) for c in columns if c['transformer'] == 'keep'}):,}"),
        ("values looked for", f"{scan['values']:,}"),
        ("locale", certificate["locale"]),
    ]
    return f"""<header>
<h1>{data(policy["name"])}</h1>
<p class="lead">Certificate of a sanitized bundle, made from {data(source["schema"])} ({safe(source["kind"])})</p>
{_verdict(scan)}
{fact_list(facts)}
<p class="digest">policy {safe(policy["digest"])}<br>source {safe(source["digest"])}<br>bundle {safe(certificate["output"]["digest"])}</p>
</header>
"""


def _verdict(scan: Mapping[str, Any]) -> str:
    left, allowed = scan["survivors"], scan["allowed"]
    output = scan["output"]
    searched = f"{scan['values']:,} values of the source were looked for in {output['cells']:,} cells and {output['texts']:,} texts"
    found = "none is left beyond chance" if not left else f"{left:,} {'is' if left == 1 else 'are'} left, where {allowed:,} may be"
    look = "notice good" if scan["passed"] else "notice"
    return f'<p class="{look}"><strong>{"Passed" if scan["passed"] else "Failed"}</strong>: {safe(searched)}; {safe(found)}.</p>'


def _proof(scan: Mapping[str, Any], unchanged: Sequence[Mapping[str, Any]]) -> str:
    columns = [_looked_for(column) for column in scan["columns"]]
    found = [
        [f["place"], f["in"], f["where"], f"{f['values']:,}", f"{f['cells']:,}", _allowed(f), _chance(f), f"{f['survivors']:,}"]
        for f in scan["found"]
    ]
    words = [[d["name"], f"{d['words']:,}", d["digest"]] for d in scan["dictionaries"]]
    headings = ["source column", "class", "kind", "values", "inside texts", "not inside texts", "kept", "survivors"]
    shown = [
        card("What was looked for", "different values of each personal column", plain_table(headings, columns, (3, 4, 7)))
        if columns
        else "",
        card(
            "What was found",
            "where values of the source stand in the output, and why they do not count",
            plain_table(["source column", "output column", "in", "values", "cells", "allowed", "by chance", "survivors"], found, (3, 4, 7)),
        )
        if found
        else card("What was found", "", '<p class="about">Nothing: no value of the source stands in the output.</p>'),
        card(
            "Cells beside their own raw cells",
            "how many masked cells are what they were before, row by row",
            plain_table(
                ["column", "masked by", "cells", "unchanged", "different values", "at most by chance"],
                [_beside(entry) for entry in unchanged],
                (2, 3, 4, 5),
            ),
        )
        if unchanged
        else "",
        card("How chance was counted", f"false alarm: {scan['false_alarm']:g} for the whole proof", _list(scan["baseline"])),
        card("What the proof does not find", "", _list(scan["limits"])) if scan["limits"] else "",
        card("Words that are allowed", "", plain_table(["dictionary", "words", "digest"], words, (1,))) if words else "",
    ]
    return f'<div class="stack">{"".join(shown)}</div>'


def _beside(entry: Mapping[str, Any]) -> list[str]:
    counts = [f"{entry[name]:,}" for name in ("cells", "unchanged", "values")]
    return [entry["place"], entry["transformer"], *counts, "not judged" if entry["limit"] is None else f"{entry['limit']:,}"]


def _looked_for(column: Mapping[str, Any]) -> list[str]:
    kinds = [column["place"], column["class"], column["entity"] or UNKNOWN]
    values = [f"{column['values']:,}", f"{column['inside']:,}", _counts(column["left_out"])]
    return [*kinds, *values, column["kept"] or "", f"{column['survivors']:,}"]


def _allowed(found: Mapping[str, Any]) -> str:
    reasons = ("common_words", "in_pools", "shared", "public", "kept", "picked")
    return _counts({reason: found.get(reason, 0) for reason in reasons})


def _chance(found: Mapping[str, Any]) -> str:
    pools = f"; of the pools ≈ {found['pool_expected']:.4g}, at most {found['pool_threshold']:,}" if found["in_pools"] else ""
    return f"≈ {found['expected']:.4g}, at most {found['threshold']:,}{pools}"


def _key(key: Mapping[str, Any]) -> str:
    origin = _ORIGINS.get(key["origin"], key["origin"])
    return card(safe(origin), key["ended"], f'<p class="digest">commitment {safe(key["commitment"])}</p>')


def _risks(risks: Sequence[Mapping[str, Any]]) -> str:
    return f'<div class="grid-of-cards wide">{"".join(map(_risk, risks))}</div>' if risks else ""


def _risk(risk: Mapping[str, Any]) -> str:
    known = [(name, risk[name]) for name in ("before", "after") if risk[name] is not None]
    names, sides = [name for name, _ in known], [side for _, side in known]
    by = "quasi-identifiers: " + ", ".join(risk["quasi_identifiers"])
    if not sides:
        return card(data(risk["subject"]), by, "")

    def share(name: str, *path: str) -> Figure:
        shares = tuple(_at(side, path) for side in sides)
        return Figure(name, tuple(percent(s) for s in shares), "", shares)

    figures = [
        Figure("records", tuple(f"{s['records']:,}" for s in sides)),
        Figure("suppressed records", tuple(f"{s['suppressed_records']:,}" for s in sides)),
        Figure("equivalence classes", tuple(f"{s['classes']:,}" for s in sides)),
        Figure("smallest class", tuple(UNKNOWN if s["k"] is None else f"{s['k']:,}" for s in sides), "the k of k-anonymity"),
        share("unique records", "unique_share"),
        share("highest risk", "prosecutor", "highest"),
        share("average risk", "prosecutor", "average"),
    ]
    for column in sides[-1]["sensitive"]:
        both = [side["sensitive"].get(column, {}) for side in sides]
        figures.append(Figure(f"{column}: distinct l", tuple(_number(s.get("l_distinct")) for s in both), "values in the worst class"))
        figures.append(Figure(f"{column}: t", tuple(fixed(s.get("t_equal")) for s in both), "equal distance in the worst class"))
    bins = class_bins([[(c["size"], c["classes"]) for c in side["class_sizes"]] for side in sides])
    plot = class_plot(bins, [side["records"] - side["suppressed_records"] for side in sides], names)
    return card(data(risk["subject"]), by, f"{legend(names)}{figure_table(figures, names)}{plot}")


def _decisions(decisions: Sequence[Mapping[str, Any]]) -> str:
    rows = [[d["place"] or "the whole", d["what"], d["why"]] for d in decisions]
    return card("What people should look at", "", plain_table(["place", "what", "why"], rows)) if rows else ""


def _scope(certificate: Mapping[str, Any]) -> str:
    shown = []
    if certificate["subset"]:
        shown.append(card("Subset", "", fact_list(_facts(certificate["subset"]))))
    shown += [card(data(a.get("subject", "anonymity")), "k-anonymity", fact_list(_facts(a))) for a in certificate["anonymity"]]
    return f'<div class="grid-of-cards wide">{"".join(shown)}</div>' if shown else ""


def _tables(tables: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for t in tables:
        left = "dropped" if t["dropped"] else f"{t['rows']:,}"
        rows.append([t["table"], f"{t['source_rows']:,}", left, ", ".join(t["subject"]) or UNKNOWN])
    return card("Rows", "", plain_table(["table", "in the source", "in the bundle", "person"], rows, (1, 2)))


def _columns(columns: Sequence[Mapping[str, Any]]) -> str:
    tables = groupby(columns, key=lambda column: str(column["table"]))
    return "".join(cards(data(table), [_column(column) for column in of_table]) for table, of_table in tables)


def _column(column: Mapping[str, Any]) -> str:
    kind = column["class"]
    badges = f"<span{' class=' + chr(34) + 'warn' + chr(34) if kind in _PERSONAL else ''}>{safe(kind)}</span>"
    badges += f"<span>{safe(column['entity'])}</span>" if column["entity"] else ""
    facts = [("masked by" if column["transformer"] != "keep" else "not masked", _transformer(column))]
    facts += [("when", str(column["when"]))] if column["when"] else []
    facts += [("otherwise", _said(column["else"]))] if column["else"] else []
    facts += [("confidence", percent(column["confidence"]))] if column["confidence"] is not None else []
    path = f' <span class="type">{data(column["path"])}</span>' if column["path"] else ""
    return (
        f'<article class="card"><h4>{data(column["column"])}{path}</h4><p class="badges">{badges}</p>'
        f"{fact_list(facts)}{_list(column['evidence'])}</article>\n"
    )


def _transformer(column: Mapping[str, Any]) -> str:
    parameters = ", ".join(f"{name}: {_said(value)}" for name, value in column["parameters"].items())
    return f"{column['transformer']} ({parameters})" if parameters else str(column["transformer"])


def _prices(prices: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [f"{p['table']}.{p['column']}", p["domain"], _size(p["size"]), p["with_key"], p["without_key"], p["warning"] or ""] for p in prices
    ]
    headings = ["column", "domain", "values", "tried with the key", "without it", "warning"]
    about = "how long it takes to try all values of a domain"
    return card("Trying out hashed columns", about, plain_table(headings, rows, (2,))) if rows else ""


def _made_with(certificate: Mapping[str, Any]) -> str:
    pools = [[p["pool"], f"{p['values']:,}", p["digest"]] for p in certificate["pools"]]
    shown = [card("Software", "", fact_list(_facts(certificate["versions"])))]
    if pools:
        shown.append(card("Pools of pseudonyms", "", plain_table(["pool", "values", "digest"], pools, (1,))))
    return f'<div class="stack">{"".join(shown)}</div>'


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{data(line)}</li>" for line in lines)
    return f'<ul class="evidence">{items}</ul>' if items else ""


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items() if n)


def _facts(known: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _said(value)) for name, value in known.items() if value is not None]


def _said(value: Any) -> str:
    """A value of a policy as people write it."""
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_said(item)}" for name, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _size(size: Any) -> str:
    return f"{size:,.0f}" if isinstance(size, int | float) else str(size)


def _number(number: Any) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def _at(side: Mapping[str, Any], path: Sequence[str]) -> float | None:
    found: Any = side
    for name in path:
        found = found[name]
    return None if found is None else float(found)
