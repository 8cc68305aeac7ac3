"""PostgreSQL's functions over its catalogs, as macros of the sandbox."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.endpoint.catalog.contents import CLASSES, OWNER

PREFIX = "pgf_"  # before each macro's name: DuckDB has functions of its own under some of these

# Macros look things up in tables of their own, whose names no query writes: a macro's argument is put in as it is written, and must not
# meet a column of the same name inside.
OWN_TABLES = {
    "own_classes": "own_oid UINTEGER, own_name VARCHAR, own_shown VARCHAR",
    "own_types": "own_oid UINTEGER, own_name VARCHAR, own_shown VARCHAR",
    "own_spaces": "own_oid UINTEGER, own_name VARCHAR",
    "own_definitions": "own_oid UINTEGER, own_text VARCHAR",
    "own_comments": "own_oid UINTEGER, own_place INTEGER, own_text VARCHAR",
    "own_columns": "own_oid UINTEGER, own_place INTEGER, own_text VARCHAR",
}
_MODIFIER = """CASE WHEN m IS NULL OR m < 4 THEN '' WHEN t = 1700 THEN '(' || ((m - 4) >> 16) || ',' || ((m - 4) & 65535) || ')'
  WHEN t IN (1042, 1043) THEN '(' || (m - 4) || ')' ELSE '' END"""
_DEFINITION = "(SELECT own_text FROM pgc.own_definitions WHERE own_oid = t)"
_COMMENT = "(SELECT own_text FROM pgc.own_comments WHERE own_oid = t AND own_place = 0)"
_CLASSES = "CASE replace(name, 'pg_catalog.', '') " + " ".join(f"WHEN '{k}' THEN {v}" for k, v in CLASSES.items()) + " END"

MACROS: dict[str, str] = {
    "format_type(t, m)": f"(SELECT own_shown FROM pgc.own_types WHERE own_oid = t) || {_MODIFIER}",
    "regclass_oid(name)": f"""coalesce(try_cast(name AS UINTEGER), (SELECT min(own_oid) FROM pgc.own_classes
        WHERE replace(replace(name, '"', ''), 'public.', '') IN (own_name, own_shown)), {_CLASSES})""",
    "regclass_name(t)": """coalesce((SELECT own_shown FROM pgc.own_classes WHERE own_oid = t),
        CASE WHEN t = 0 THEN '-' ELSE t::VARCHAR END)""",
    "regtype_oid(name)": """coalesce(try_cast(name AS UINTEGER), (SELECT min(own_oid) FROM pgc.own_types
        WHERE replace(name, 'pg_catalog.', '') IN (own_name, own_shown)))""",
    "regnamespace_oid(name)": "(SELECT own_oid FROM pgc.own_spaces WHERE own_name = replace(name, '\"', ''))",
    "regnamespace_name(t)": "(SELECT own_name FROM pgc.own_spaces WHERE own_oid = t)",
    "regproc_oid(name)": """CASE replace(name, 'pg_catalog.', '') WHEN 'array_in' THEN 750 WHEN 'array_recv' THEN 2400
        ELSE 0 END""",
    "regproc_name(t)": "CASE t WHEN 750 THEN 'array_in' WHEN 2400 THEN 'array_recv' ELSE '-' END",
    "to_regclass(name)": f"{PREFIX}regclass_oid(name)",
    "to_regtype(name)": f"{PREFIX}regtype_oid(name)",
    "pg_get_userbyid(t)": f"CASE WHEN t = {OWNER} THEN 'companyos' ELSE 'unknown (OID=' || t || ')' END",
    "obj_description(t, name)": f"CASE WHEN name = 'pg_class' THEN {_COMMENT} END",
    "obj_description1(t)": _COMMENT,
    "col_description(t, n)": "(SELECT own_text FROM pgc.own_comments WHERE own_oid = t AND own_place = n)",
    "pg_get_constraintdef1(t)": _DEFINITION,
    "pg_get_constraintdef(t, pretty)": _DEFINITION,
    "pg_get_indexdef1(t)": _DEFINITION,
    "pg_get_indexdef(t, n, pretty)": f"""CASE WHEN n = 0 THEN {_DEFINITION}
        ELSE (SELECT own_text FROM pgc.own_columns WHERE own_oid = t AND own_place = n) END""",
    "_pg_expandarray(a)": "unnest(list_transform(a, lambda x, i: {'x': x, 'n': i}))",
    "quote_ident(name)": """CASE WHEN regexp_full_match(name, '[a-z_][a-z0-9_]*') THEN name
        ELSE '"' || replace(name, '"', '""') || '"' END""",
    "quote_literal(name)": "'''' || replace(name, '''', '''''') || ''''",
    "array_lower(a, n)": "1",
    "array_upper(a, n)": "len(a)",
    "pg_size_pretty(n)": "n || ' bytes'",
    "getdatabaseencoding()": "'UTF8'",
    "pg_encoding_to_char(n)": "'UTF8'",
    "pg_char_to_encoding(name)": "6",
}

# functions whose outcome is the same whatever they are given
CONSTANT: dict[str, str] = {
    **dict.fromkeys(("pg_table_is_visible", "pg_type_is_visible", "pg_function_is_visible", "pg_operator_is_visible",
                     "pg_opclass_is_visible",
                     "pg_collation_is_visible", "pg_is_visible", "has_table_privilege", "has_schema_privilege", "has_column_privilege",
                     "has_any_column_privilege", "has_database_privilege", "has_type_privilege", "pg_has_role"), "TRUE"),
    **dict.fromkeys(("pg_is_in_recovery", "pg_relation_is_publishable", "pg_is_other_temp_schema", "has_sequence_privilege",
                     "has_function_privilege", "pg_advisory_lock", "pg_try_advisory_lock", "pg_advisory_unlock", "row_security_active",
                     "pg_relation_is_updatable", "pg_cancel_backend", "pg_terminate_backend"), "FALSE"),
    **dict.fromkeys(("pg_get_expr", "pg_get_viewdef", "pg_get_partkeydef", "pg_get_serial_sequence", "pg_get_ruledef", "pg_get_triggerdef",
                     "pg_get_statisticsobjdef_columns", "pg_get_function_result", "pg_get_function_arguments", "pg_get_functiondef",
                     "pg_get_function_identity_arguments", "shobj_description", "pg_tablespace_location", "inet_server_addr",
                     "inet_client_addr", "pg_conf_load_time", "pg_advisory_unlock_all", "pg_relation_filepath", "acldefault",
                     "pg_get_partition_constraintdef", "pg_describe_object", "pg_get_function_sqlbody", "pg_stat_get_numscans",
                     "pg_postmaster_start_time", "pg_last_committed_xact", "pg_last_xact_replay_timestamp"), "CAST(NULL AS TEXT)"),
    **dict.fromkeys(("pg_relation_size", "pg_table_size", "pg_total_relation_size", "pg_indexes_size", "pg_database_size",
                     "pg_tablespace_size", "pg_my_temp_schema", "txid_current", "pg_backend_pid", "pg_sequence_last_value",
                     "pg_stat_get_live_tuples"), "0"),
}  # fmt: skip

# what DuckDB does as PostgreSQL does; nothing else is called, so that no function of its own can be reached
_SAME = """
    abs array_agg array_append array_cat array_length array_position array_prepend array_to_string ascii avg bool_and bool_or btrim
    cardinality ceil char_length chr concat concat_ws count date_part date_trunc dense_rank first_value floor format
    generate_subscripts greatest lag last_value lead least left length lower lpad ltrim max md5 min mod now power rank regexp_matches
    regexp_replace repeat replace reverse right round row_number rpad rtrim sign split_part starts_with string_agg string_to_array strpos
    substr substring sum to_char to_json translate trim trunc unnest upper
"""
SAME = frozenset(_SAME.split())


def constant_of(name: str) -> exp.Expr | None:
    """The outcome of a function that is the same whatever it is given."""
    if name not in CONSTANT:
        return None
    text = CONSTANT[name]
    if text.startswith("CAST"):
        return exp.cast(exp.null(), "text")
    return exp.Literal.number(text) if text == "0" else exp.Boolean(this=text == "TRUE")
