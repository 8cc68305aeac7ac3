"""What PostgreSQL keeps beyond the words of the schema language: queries of its catalogues, for the notes of a reflection."""

from __future__ import annotations

_OF = "JOIN pg_class c ON c.oid = {} JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relname = :table"
_PARTS = "SELECT relid FROM pg_partition_tree(format('%I.%I', CAST(:schema AS text), CAST(:table AS text))::regclass) WHERE level > 0"
_WORDS = "((?: DEFERRABLE| INITIALLY DEFERRED| NO INHERIT| NOT VALID)+)$"
_WORDS_OF_REFERENCES = "((?: NOT VALID| NOT ENFORCED)+)$"  # the others are told with each reference

# With a table: a query for each kind of it.
WITH_TABLES = (
    f"SELECT 'trigger ' || t.tgname FROM pg_trigger t {_OF.format('t.tgrelid')} AND NOT t.tgisinternal ORDER BY t.tgname",
    f"SELECT 'rule ' || r.rulename FROM pg_rewrite r {_OF.format('r.ev_class')} ORDER BY r.rulename",
    f"SELECT 'exclusion constraint ' || x.conname FROM pg_constraint x {_OF.format('x.conrelid')} AND x.contype = 'x' ORDER BY x.conname",
    "SELECT btrim(said) || ' of ' || conname FROM (SELECT x.conname, substring(pg_get_constraintdef(x.oid) FROM "
    f"CASE x.contype WHEN 'f' THEN '{_WORDS_OF_REFERENCES}' ELSE '{_WORDS}' END) AS said "
    f"FROM pg_constraint x {_OF.format('x.conrelid')} AND x.contype <> 'x') s WHERE said IS NOT NULL ORDER BY conname",
    "SELECT CASE x.contype WHEN 'f' THEN 'PERIOD' ELSE 'WITHOUT OVERLAPS' END || ' of ' || x.conname FROM pg_constraint x "
    f"{_OF.format('x.conrelid')} AND to_jsonb(x) ->> 'conperiod' = 'true' ORDER BY x.conname",
    "SELECT DISTINCT 'collation ' || l.collname || ' of index ' || d.relname FROM pg_index i JOIN pg_class d ON d.oid = i.indexrelid "
    "CROSS JOIN unnest(i.indkey, i.indcollation) AS k(number, ordered) JOIN pg_collation l ON l.oid = k.ordered "
    "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND a.attcollation <> k.ordered "
    f"{_OF.format('i.indrelid')} ORDER BY 1",
    f"SELECT 'the name of its primary key, ' || x.conname || ',' FROM pg_constraint x {_OF.format('x.conrelid')} AND x.contype = 'p' "
    "AND x.conname <> c.relname || '_pkey' "
    "AND NOT (octet_length(c.relname) > 58 AND x.conname = left(c.relname, length(x.conname) - 5) || '_pkey')",
    "SELECT 'the name of NOT NULL, ' || string_agg(x.conname, ', ' ORDER BY x.conname) || ',' FROM pg_constraint x "
    "JOIN pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = x.conkey[1] "
    f"{_OF.format('x.conrelid')} AND x.contype = 'n' AND x.conislocal AND x.conname <> c.relname || '_' || a.attname || '_not_null' "
    "AND octet_length(c.relname) + octet_length(a.attname) <= 53 HAVING count(*) > 0",
    "SELECT 'the comment on constraint ' || x.conname FROM pg_constraint x "
    f"{_OF.format('x.conrelid')} AND obj_description(x.oid, 'pg_constraint') IS NOT NULL ORDER BY x.conname",
    "SELECT 'the comment on index ' || d.relname FROM pg_index i JOIN pg_class d ON d.oid = i.indexrelid "
    f"{_OF.format('i.indrelid')} AND obj_description(d.oid, 'pg_class') IS NOT NULL ORDER BY d.relname",
    f"SELECT 'statistics ' || s.stxname FROM pg_statistic_ext s {_OF.format('s.stxrelid')} ORDER BY s.stxname",
    "SELECT said || ' of ' || s.relname FROM pg_class s CROSS JOIN LATERAL (VALUES "
    "('WITH (' || array_to_string(s.reloptions, ', ') || ')'), (CASE WHEN s.reloftype <> 0 THEN 'OF ' || s.reloftype::regtype END), "
    "('REPLICA IDENTITY ' || CASE s.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN 'USING INDEX' END), "
    "('PARTITION BY ' || CASE WHEN NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = s.oid) THEN pg_get_partkeydef(s.oid) END)) "
    f"AS v(said) {_OF.format('s.oid')} AND said IS NOT NULL",
    "SELECT 'CLUSTER ON ' || d.relname FROM pg_index i JOIN pg_class d ON d.oid = i.indexrelid "
    f"{_OF.format('i.indrelid')} AND i.indisclustered",
    "SELECT said || ' of ' || a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL (VALUES "
    "('(' || array_to_string(a.attoptions, ', ') || ')'), ('STATISTICS ' || CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END), "
    "('STORAGE ' || CASE WHEN a.attstorage <> t.typstorage THEN "
    "CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END END), "
    "('COMPRESSION ' || CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END)) "
    f"AS v(said) {_OF.format('a.attrelid')} AND a.attnum > 0 AND NOT a.attisdropped AND said IS NOT NULL ORDER BY a.attnum, said",
    f"SELECT 'inheritance from ' || i.inhparent::regclass::text FROM pg_inherits i {_OF.format('i.inhrelid')} ORDER BY i.inhseqno",
    f"SELECT 'row-level security of ' || c.relname FROM pg_class s {_OF.format('s.oid')} AND c.relrowsecurity",
    f"SELECT 'FORCE ROW LEVEL SECURITY of ' || c.relname FROM pg_class s {_OF.format('s.oid')} AND c.relforcerowsecurity",
    "SELECT 'policy ' || policyname FROM pg_policies WHERE schemaname = :schema AND tablename = :table ORDER BY policyname",
    f"SELECT 'UNLOGGED of ' || c.relname FROM pg_class s {_OF.format('s.oid')} AND c.relpersistence = 'u'",
    "SELECT 'grant ' || said FROM pg_class s CROSS JOIN unnest(CAST(s.relacl AS text[])) AS said "
    f"{_OF.format('s.oid')} AND NOT starts_with(said, CAST(s.relowner::regrole AS text) || '=') ORDER BY said",
    "SELECT 'grant ' || said || ' of ' || a.attname FROM pg_attribute a CROSS JOIN unnest(CAST(a.attacl AS text[])) AS said "
    f"{_OF.format('a.attrelid')} AND NOT a.attisdropped ORDER BY a.attnum, said",
    f"WITH parts AS ({_PARTS}) SELECT what || ' of its part ' || part::text FROM ("
    "SELECT 'check ' || conname, conrelid::regclass FROM pg_constraint WHERE contype = 'c' AND conislocal AND conrelid IN (TABLE parts) "
    "UNION SELECT 'trigger ' || tgname, tgrelid::regclass FROM pg_trigger "
    "WHERE NOT tgisinternal AND tgparentid = 0 AND tgrelid IN (TABLE parts) "
    "UNION SELECT 'index ' || indexrelid::regclass::text, indrelid::regclass FROM pg_index "
    "WHERE indrelid IN (TABLE parts) AND indexrelid NOT IN (SELECT inhrelid FROM pg_inherits)) AS o(what, part) ORDER BY 1",
)

_OWN = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
_OF_EXTENSION = "EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{}'::regclass AND d.objid = {} AND d.deptype = 'e')"
_USED = "EXISTS (SELECT FROM pg_attribute a WHERE a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped)"

# What a database of PostgreSQL has besides tables and views: each kind, and the names of all of it. Types that columns have are told there.
BESIDES_TABLES = (
    "SELECT kind, array_agg(name ORDER BY name) FROM ("
    "SELECT 'extension', extname FROM pg_extension WHERE extname <> 'plpgsql' "
    "UNION ALL SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure::text "
    f"FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_OWN} AND NOT {_OF_EXTENSION.format('pg_proc', 'p.oid')} "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i') "
    "UNION ALL SELECT 'sequence', s.oid::regclass::text FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace "
    f"WHERE s.relkind = 'S' AND {_OWN} AND NOT EXISTS (SELECT FROM pg_depend d "
    "WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'e', 'i')) "
    "UNION ALL SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.oid::regtype::text FROM pg_type t "
    f"JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE {_OWN} AND NOT {_USED} "
    f"AND NOT {_OF_EXTENSION.format('pg_type', 't.oid')} AND (t.typtype IN ('d', 'e', 'r') OR t.typtype = 'b' AND t.typcategory <> 'A' "
    "OR c.relkind = 'c') "
    "UNION ALL SELECT 'comment on type', t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
    f"WHERE {_OWN} AND obj_description(t.oid, 'pg_type') IS NOT NULL AND NOT {_OF_EXTENSION.format('pg_type', 't.oid')}"
    ") AS found(kind, name) GROUP BY kind ORDER BY kind"
)
