"""The page of a profile; the same profile makes the same bytes."""

from __future__ import annotations

from bundles.profiled import (
    BundleProfile,
    ColumnProfile,
    MachineProfile,
    RelationProfile,
    Spread,
    StateCount,
    TableProfile,
    Transition,
)
from companyos.output import human_bytes, scale_text
from companyos.page_parts import bar, cards, data, document, fact_list, safe, share
from companyos.profile_plots import histogram
from schemas.plurals import counted

_LENGTHS = {"array": "items", "bytes": "bytes"}
_FOOTER = """A pale bar at the end of a plot stands for all values beyond it; hold the pointer over a bar to read it. ≈ marks an
estimate."""
_PROVENANCE = ("seed", "scale", "generator_version")


def page(profile: BundleProfile) -> str:
    """Return the HTML of `profile`."""
    places = {t.name: f"t{i}" for i, t in enumerate(profile.tables)}
    tables = "\n".join(_table(t, places) for t in profile.tables)
    main = f"{_head(profile)}\n{_overview(profile, places)}\n{tables}"
    links = [("Overview", "main", ""), *((t.name, places[t.name], f"{t.rows:,}") for t in profile.tables)]
    return document(f"{profile.reference}: profile", "Tables", links, main, _FOOTER)


def _head(profile: BundleProfile) -> str:
    told = {name: str(profile.provenance[name]) for name in _PROVENANCE if name in profile.provenance}
    origin = [(name.replace("_", " "), scale_text(text) if name == "scale" else text) for name, text in told.items()]
    facts = [
        ("schema", profile.schema),
        ("tables", f"{len(profile.tables):,}"),
        ("rows", f"{profile.rows:,}"),
        ("size", human_bytes(profile.bytes)),
        *origin,
    ]
    notice = ""
    if profile.kind != "synthetic":
        notice = (
            f'<p class="notice">This bundle is {safe(profile.kind)}, not synthetic: values of personal and sensitive columns are '
            "hidden, and of them only nulls and distinct values are counted.</p>"
        )
    return f"""<header>
<h1>{data(profile.reference)}</h1>
<p class="lead">{safe(profile.kind)} bundle, {safe(profile.data_class)} data{f" · {data(profile.comment)}" if profile.comment else ""}</p>
{fact_list(facts)}
<p class="digest">content {safe(profile.content_digest)}<br>manifest {safe(profile.manifest_digest)}</p>
{notice}</header>"""


def _overview(profile: BundleProfile, places: dict[str, str]) -> str:
    largest = max((t.rows for t in profile.tables), default=0)
    rows = "".join(
        f'<tr><th scope="row"><a href="#{places[t.name]}">{data(t.name)}</a></th><td class="b">{bar([("all", t.rows)], largest)}</td>'
        f'<td class="n">{t.rows:,}</td><td class="n extra">{len(t.columns)}</td><td class="n extra">{human_bytes(t.bytes)}</td></tr>'
        for t in profile.tables
    )
    return (
        '<section aria-label="Tables"><h2>Tables</h2><table class="overview"><thead><tr><th scope="col">table</th>'
        '<th scope="col" colspan="2" class="n">rows</th><th scope="col" class="n extra">columns</th>'
        '<th scope="col" class="n extra">size</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></section>"
    )


def _table(table: TableProfile, places: dict[str, str]) -> str:
    place = places[table.name]
    relations = [_relation(table, r, places) for r in table.relations]
    machines = [_machine(table, m) for m in table.machines]
    columns = [_column(c, f"{place}c{i}", places) for i, c in enumerate(table.columns)]
    about = f'<p class="about">{data(table.comment)}</p>' if table.comment else ""
    return (
        f'<section id="{place}"><h2>{data(table.name)} <a class="up" href="#main">overview</a></h2>{about}'
        f'<p class="lead">{counted(table.rows, "row")}, {counted(len(table.columns), "column")}, {human_bytes(table.bytes)}</p>'
        f"{cards('Relations', relations)}{cards('States', machines, wide=True)}{cards('Columns', columns)}</section>"
    )


def _column(column: ColumnProfile, place: str, places: dict[str, str]) -> str:
    shown = [
        f'<article class="card" id="{place}"><h4>{data(column.name)} <span class="type">{data(column.type)}</span></h4>',
        _badges(column, places),
        f'<p class="about">{data(column.comment)}</p>' if column.comment else "",
        fact_list(_column_facts(column)),
    ]
    if column.hidden is not None:
        shown.append(f'<p class="hidden">hidden: {safe(column.hidden)}</p>')
    else:
        shown += [_spread(column), _top(column), _samples(column)]
    return "".join(shown) + "</article>\n"


def _badges(column: ColumnProfile, places: dict[str, str]) -> str:
    badges = ["<span>key</span>"] if column.key else []
    if column.unique and not column.key:
        badges.append("<span>unique</span>")
    if column.references is not None:
        badges.append(f'<a href="#{places[column.references]}">→ {data(column.references)}</a>')
    if column.data_class in ("personal", "sensitive"):
        badges.append(f'<span class="warn">{safe(column.data_class)}</span>')
    elif column.data_class != "internal":
        badges.append(f"<span>{safe(column.data_class)}</span>")
    return f'<p class="badges">{"".join(badges)}</p>' if badges else ""


def _column_facts(column: ColumnProfile) -> list[tuple[str, str]]:
    facts = [("distinct", f"{'' if column.exact else '≈ '}{column.distinct:,}")]
    if column.nullable or column.nulls:
        facts.insert(0, ("nulls", _part(column.nulls, column.rows)))
    if column.not_finite:
        facts.append(("NaN or infinite", f"{column.not_finite:,}"))
    if column.values is not None:
        facts += _spread_facts(column.values)
    if column.lengths is not None:
        spread, unit = column.lengths, _LENGTHS.get(column.kind, "characters")
        if spread.low == spread.high:
            facts.append(("length", f"{spread.low.text} {unit}"))
        else:
            mean = "" if spread.mean is None else f", mean {spread.mean.text}"
            facts.append(("length", f"{spread.low.text} to {spread.high.text} {unit}{mean}"))
    return facts


def _spread(column: ColumnProfile) -> str:
    """The plot of the values, or of the lengths of texts that are too many to be listed."""
    if column.values is not None and len(column.values.bins) > 1:
        return histogram(column.values, f"Values of {column.name}", "value")
    if column.lengths is None or len(column.lengths.bins) < 2 or len(column.top) == column.distinct:
        return ""
    unit = _LENGTHS.get(column.kind, "characters")
    plot = histogram(column.lengths, f"Lengths of {column.name} in {unit}", "value")
    return f'<p class="caption">length in {unit}</p>{plot}'


def _top(column: ColumnProfile) -> str:
    if not column.top:
        return ""
    most = column.top[0].rows
    rows = "".join(
        f'<tr><th scope="row">{_value(t.text)}</th><td class="b">{bar([("all", t.rows)], most)}</td><td class="n">{t.rows:,}</td>'
        f'<td class="n">{safe(share(t.rows, column.counted))}</td></tr>'
        for t in column.top
    )
    what = "items" if column.kind == "array" else "values"
    return (
        f'<p class="caption">most frequent {what}</p><table class="top"><thead class="unseen"><tr><th>value</th><th></th><th>rows</th>'
        f"<th>share</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _samples(column: ColumnProfile) -> str:
    if not column.samples or (column.top and column.kind != "array" and len(column.top) == column.distinct):
        return ""
    return f'<p class="caption">samples</p><ul class="samples">{"".join(f"<li>{_value(s)}</li>" for s in column.samples)}</ul>'


def _relation(table: TableProfile, relation: RelationProfile, places: dict[str, str]) -> str:
    mine, theirs = ", ".join(relation.columns), ", ".join(relation.target)
    facts = [] if relation.per_parent is None else _spread_facts(relation.per_parent)
    facts.append(("parents without children", _part(relation.childless, relation.parents)))
    if relation.nullable or relation.nulls:
        facts.append(("rows without a parent (null)", _part(relation.nulls, relation.children)))
    if relation.orphans:
        facts.append(("rows whose parent is missing", f"{relation.orphans:,}"))
    plot = ""
    if relation.per_parent is not None and len(relation.per_parent.bins) > 1:
        about = f"Rows of {table.name} for each row of {relation.table} by {mine}"
        plot = histogram(relation.per_parent, about, f"row of {relation.table}")
    return (
        f'<article class="card"><h4>{data(mine)} → <a href="#{places[relation.table]}">{data(relation.table)}</a> '
        f'<span class="type">{data(theirs)}</span></h4>'
        f'<p class="about">{counted(relation.children, "row")} for {counted(relation.parents, "parent")}; children per parent:</p>'
        f"{fact_list(facts)}{plot}</article>\n"
    )


def _machine(table: TableProfile, machine: MachineProfile) -> str:
    if machine.hidden is not None:
        return f'<article class="card"><h4>{data(machine.column)}</h4><p class="hidden">hidden: {safe(machine.hidden)}</p></article>\n'
    states = "".join(_state(s, table.rows) for s in machine.states)
    moves = "".join(_transition(t, table.rows) for t in machine.transitions)
    source = f" and the times in {', '.join(data(e) for e in machine.evidence)}" if machine.evidence else ""
    lost = ""
    if machine.unexplained:
        rows = counted(machine.unexplained, "row has", "rows have")
        lost = f'<p class="notice">{rows} a state or times that no way through the machine explains.</p>'
    return (
        f'<article class="card"><h4>{data(machine.column)}</h4>'
        f'<p class="about">By its values{source}. <span class="key"></span> certain <span class="key may"></span> possible</p>{lost}'
        '<table class="states"><thead><tr><th scope="col">state</th><th></th><th scope="col" class="n">reached</th>'
        f'<th scope="col" class="n">in it now</th></tr></thead><tbody>{states}</tbody></table>'
        '<table class="states"><thead><tr><th scope="col">transition</th><th></th><th scope="col" class="n">rows</th>'
        f'<th scope="col" class="n">stated chance</th></tr></thead><tbody>{moves}</tbody></table></article>\n'
    )


def _state(state: StateCount, rows: int) -> str:
    strange = "" if state.known else ' <span class="empty">(not in the machine)</span>'
    return (
        f'<tr><th scope="row">{_value(state.name)}{strange}</th><td class="b">{_certainty(state.certain, state.possible, rows)}</td>'
        f'<td class="n">{_range(state.certain, state.possible)}</td><td class="n">{state.now:,}</td></tr>'
    )


def _transition(transition: Transition, rows: int) -> str:
    return (
        f'<tr><th scope="row">{_value(transition.source)} → {_value(transition.target)}</th>'
        f'<td class="b">{_certainty(transition.certain, transition.possible, rows)}</td>'
        f'<td class="n">{_range(transition.certain, transition.possible)}</td><td class="n">{100 * transition.chance:.4g} %</td></tr>'
    )


def _certainty(certain: int, possible: int, rows: int) -> str:
    return bar([("may", possible), ("all", certain)], rows)


def _range(certain: int, possible: int) -> str:
    return f"{certain:,}" if certain == possible else f"{certain:,} to {possible:,}"


def _part(part: int, whole: int) -> str:
    return f"{part:,} ({share(part, whole)})" if part else "none"


def _spread_facts(spread: Spread) -> list[tuple[str, str]]:
    found = (("min", spread.low), ("median", spread.median), ("mean", spread.mean), ("max", spread.high))
    return [(name, value.text) for name, value in found if value is not None]


def _value(text: str) -> str:
    if text == "":
        return '<span class="empty">empty text</span>'
    return data(text)
