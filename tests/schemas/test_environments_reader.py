"""Files of environments: what is read, and each problem with its place, what was expected, and the nearest word."""

from __future__ import annotations

from datetime import timedelta

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import environments_grammar as grammar
from schemas.cel import problem_in
from schemas.environments import ChangeWindow, Egress, Environment, Host, Limits, Rule, SandboxTemplate, Webhook
from schemas.environments_document import to_document
from schemas.environments_json_schema import PUBLISHED, json_schema, published_text
from schemas.environments_reader import VARIABLE, built_in_text, environments_text, parse_environments, read_environments
from schemas.environments_reference import EXAMPLE, PAGE, page
from schemas.errors import InputError, SchemaError
from schemas.production import is_production
from schemas.sizes import parse_size
from schemas.yaml_nodes import Reading, plain

SMALL = """\
environments:
  dev: {classes: {synthetic: 0}}
hosts:
  files: {kind: duckdb}
templates:
  feature: {environment: dev, host: files}
owners:
  "*@shop.example": []
"""
assert problem_in("true") is None  # the first expression raises the limit of recursion, which hypothesis keeps an eye on
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def problems(text: str) -> list[str]:
    with pytest.raises(SchemaError) as caught:
        parse_environments(text, "f")
    return [line.removeprefix("f:").removeprefix(" ") for line in str(caught.value).splitlines()]


def of_environment(written: str, name: str = "dev") -> list[str]:
    """What is said about an environment; its text begins at line 2, column 8 where its name has three letters."""
    return problems(SMALL.replace("  dev: {classes: {synthetic: 0}}", f"  {name}: {written}"))


def of_template(written: str) -> list[str]:
    """What is said about a template; its text begins at line 6, column 12."""
    return problems(SMALL.replace("{environment: dev, host: files}", written))


def refusals(text: str) -> list[str]:
    root = Reading().compose(text)
    assert root is not None
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATOR.iter_errors(plain(root))]


# What is read


def test_the_example_of_the_documentation_means_what_it_says():
    found = parse_environments(EXAMPLE)
    shared = Rule("not-interns", "!('interns' in groups)", "interns ask their mentor")
    weeks = Rule("no-weeks", "ttl_hours <= 168 || 'leads' in groups", "more than a week is for leads")
    assert found.environments["dev"] == Environment(
        "dev",
        {"synthetic": 0, "sanitized": 1},
        owner_groups=("engineering",),
        approver_groups=("privacy",),
        quota=3,
        ttl_default=timedelta(hours=24),
        ttl_most=timedelta(days=14),
        collectors=("audit",),
        rules=(shared, weeks),
    )
    window = ChangeWindow((0, 1, 2, 3), 540, 960, "Europe/Berlin")
    assert found.environments["staging"].change_window == window
    assert found.environments["production"] == Environment("production", {}, loads=False, rules=(shared,))
    assert found.hosts == {
        "files": Host("files", "duckdb", "/srv/sandboxes"),
        "shared": Host("shared", "postgresql", None, "SANDBOX_SERVER"),
    }
    assert found.templates["feature"] == SandboxTemplate(
        "feature",
        "dev",
        "files",
        ("synthetic:*", "sanitized:*"),
        Limits(10, 5_000_000_000, 60),
        {"onboarding": False, "new-checkout": True},
        collectors=("audit",),
        approved_infrastructure="ops@shop.example",
        approved_data="dpo@shop.example",
    )
    assert found.owners["maria@shop.example"] == ("engineering", "leads", "release")
    assert found.webhook == Webhook("https://policy.shop.example/sandboxes", "POLICY_TOKEN", 3.0)
    assert found.idle == timedelta(hours=24)


def test_what_is_left_out_is_as_the_documentation_says():
    found = parse_environments(SMALL)
    assert found.environments["dev"] == Environment("dev", {"synthetic": 0})
    assert found.templates["feature"] == SandboxTemplate("feature", "dev", "files")
    assert found.owners == {"*@shop.example": ()}
    assert found.webhook is None


def test_more_is_read_as_it_is_written():
    text = SMALL.replace(
        "{synthetic: 0}}",
        '{synthetic: 0}, egress: {exceptions: ["mail.shop.example:587", "10.0.0.0/8:443", "[fd00::/8]:443"]}, '
        "change_window: {days: [Fri-mon, wednesday], from: '22:00', to: '2:30'}}",
    ).replace("host: files}", "host: files, egress: allow, demo: true, guardrails: {webhooks: stub, requests_a_minute: 60}}")
    text = text.replace("{kind: duckdb}", "{kind: duckdb, folder: null}")
    found = parse_environments(text)
    assert found.environments["dev"].egress == Egress("deny", ("mail.shop.example:587", "10.0.0.0/8:443", "[fd00::/8]:443"))
    assert found.environments["dev"].change_window == ChangeWindow((0, 2, 4, 5, 6), 1320, 150, "UTC")
    assert found.hosts["files"].folder is None
    template = found.templates["feature"]
    assert (template.egress, template.demo, template.guardrails) == (Egress("allow"), True, {"webhooks": "stub", "requests_a_minute": 60})


def test_the_built_in_file_is_as_the_policy_demands():
    ours = parse_environments(built_in_text())
    assert list(ours.environments) == ["local", "ci", "dev", "staging", "pre-prod", "demo", "production"]
    for environment in ours.environments.values():
        assert environment.egress == Egress()
        assert environment.loads == (environment.name != "production")
        assert environment.ttl_default <= environment.extend_alone
    assert {host.kind for host in ours.hosts.values()} == {"duckdb", "sqlite", "postgresql"}
    assert ours.hosts["postgres"].url_from == "COMPANYOS_POSTGRES"
    assert {"onboarding", "async-billing"} <= set(ours.templates["feature-default"].flags)
    assert ours.environments["local"].ttl_default == timedelta(hours=72)
    demo = ours.templates["demo"]
    assert demo.demo and demo.guardrails == {"delete_protection": True, "requests_a_minute": 120, "webhooks": "stub"}


def test_the_file_of_the_environment_variable_takes_the_place_of_ours(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "local" in read_environments().environments
    path = tmp_path / "own.yaml"
    path.write_text("\ufeff" + SMALL, "utf-8")
    monkeypatch.setenv(VARIABLE, str(path))
    assert list(read_environments().environments) == ["dev"]
    other = tmp_path / "other.yaml"
    other.write_text(EXAMPLE)
    assert "staging" in read_environments(other).environments


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match=rf"none.yaml: the environments cannot be read: No such file or directory; \${VARIABLE} names it"):
        read_environments()
    with pytest.raises(InputError, match="Is a directory"):
        environments_text(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"environments: \xfc\n")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_environments(tmp_path / "latin.yaml")


def test_a_document_holds_all_in_the_words_of_the_file():
    document = to_document(parse_environments(EXAMPLE))
    assert set(document) - {"rules"} == {key.name for key in grammar.FILE} - {"rules"}
    assert set(document["environments"]["dev"]) == {key.name for key in grammar.ENVIRONMENT}
    assert set(document["templates"]["feature"]) == {key.name for key in grammar.TEMPLATE}
    assert document["environments"]["staging"]["change_window"] == {
        "days": ["mon", "tue", "wed", "thu"],
        "from": "09:00",
        "to": "16:00",
        "zone": "Europe/Berlin",
    }
    assert document["templates"]["feature"]["limits"] == {"connections": 10, "size": 5_000_000_000, "statement": 60}


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("production", True),
        ("Production", True),
        ("PROD", True),
        ("prd", True),
        ("eu-production", True),
        ("prod_2", True),
        ("prod1", True),
        ("eu1prod2", True),
        ("pre-prod1", False),
        ("shop.prod", True),
        ("pre-prod", False),
        ("pre_production", False),
        ("non-prod", False),
        ("preprod", False),
        ("products", False),
        ("pre-prod-prod", True),
        ("euProd", True),
        ("EUPROD", True),
        ("EUProd2", True),
        ("euprod", True),
        ("prodeu", True),
        ("PRODeu", True),
        ("ourProdStore", True),
        ("prodwest", True),
        ("euprd", True),
        ("ｐｒｏｄ", True),
        ("euproduction", True),
        ("canonprod", True),
        ("product-demo", False),
        ("productDemo", False),
        ("byproducts", False),
        ("producer", False),
        ("reproduction", False),
        ("co-product", False),
        ("nonprod", False),
        ("nonProd", False),
        ("NONPROD", False),
        ("not-prod", False),
        ("eu-preprod", False),
        ("eupreprod", False),
        ("preprodeu", False),
        ("preProdEu", False),
        ("preproduction", False),
        ("prodemo", False),
        ("prodev", False),
    ],
)
def test_production_is_known_by_its_name(name, is_one):
    assert is_production(name) is is_one


@pytest.mark.parametrize(("text", "size"), [("1B", 1), ("500MB", 500_000_000), ("1.5 GB", 1_500_000_000), ("10GiB", 10 * 2**30), ("0B", 0)])
def test_sizes(text, size):
    assert parse_size(text) == size


# What is wrong


@pytest.mark.parametrize("name", ["pr\u043ed", "ｐｒｏｄ", "pröd", "eu prod"])
def test_the_name_of_an_environment_has_no_letters_that_look_like_others(name):
    said = f"the name of an environment has letters from a to z, digits, dots, hyphens and underscores, not '{name}'"
    assert f"2:3: {said}" in of_environment("{classes: {synthetic: 0}}", name)
    assert refusals(SMALL) == []
    assert refusals(SMALL.replace("  dev:", f"  {name}: {{loads: false}}\n  dev:")) != []


@pytest.mark.parametrize("name", ["production", "prod", "EU-Production", "euProd"])
def test_no_file_lets_production_load(name):
    never = f"nothing is ever loaded into environment '{name}'"
    at = 2
    column = len(name) + 5
    assert of_environment("{classes: {synthetic: 0}}", name)[:2] == [
        f"{at}:{column}: {never}: write `loads: false`",
        f"{at}:{column + 1}: {never}: leave `classes:` out",
    ]
    assert f"{at}:{column + 1}: {never}: write `loads: false`" in of_environment("{loads: true}", name)
    assert f"{at}:{column + 15}: {never}: leave `classes:` out" in of_environment("{loads: false, classes: {synthetic: 0}}", name)
    assert f"{at}:{column}: {never}: write `loads: false`" in of_environment("{quota: 1}", name)
    text = SMALL.replace("  dev:", f"  {name}: {{loads: false}}\n  dev:").replace("environment: dev", f"environment: {name}")
    assert problems(text) == [f"7:26: template 'feature' is in '{name}', where nothing is ever loaded"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{clases: {synthetic: 0}}", ["2:8: environment 'dev' needs `classes:`, for example `classes: {synthetic: 0}`, or `loads: false`",
                                      "2:9: unknown key 'clases' in environment 'dev'; did you mean 'classes'?"]),
        ("[synthetic]", ["2:8: environment 'dev' must be a mapping, not a list"]),
        ("{classes: {syntetic: 0}}", ["2:19: unknown key 'syntetic' in classes of environment 'dev'; did you mean 'synthetic'?"]),
        ("{classes: {}}", ["2:18: classes of environment 'dev' must not be empty; where nothing may be loaded, write `loads: false`"]),
        ("{classes: {mirrored: -1}}", ["2:29: the approvals that mirrored data needs in environment 'dev' must be at least 0, not '-1'"]),
        ("{loads: false, classes: {mirrored: 1}}", ["2:23: environment 'dev' has `loads: false`, so that `classes:` has no place"]),
        ("{loads: no}", ["2:16: loads of environment 'dev' must be true or false, not 'no'",
                         "2:8: environment 'dev' needs `classes:`, for example `classes: {synthetic: 0}`, or `loads: false`"]),
        ("{classes: {synthetic: 0}, ttl: {most: 3 days}}", ["2:46: most: '3 days' is no length of time; write it like 90s, 15m, 8h, 3d, 2w, 6mo or 2y"]),
        ("{classes: {synthetic: 0}, ttl: {most: 0s}}", ["2:46: most must be from 1m to 366d, not '0s'"]),
        ("{classes: {synthetic: 0}, ttl: {most: 9y}}", ["2:46: most must be from 1m to 366d, not '9y'"]),
        ("{classes: {synthetic: 0}, ttl: {default: 2d, most: 1d}}", ["2:49: the ttl of environment 'dev' where none is asked for must not be above `most`"]),
        ("{classes: {synthetic: 0}, ttl: {default: 9d}}", ["2:49: the ttl of environment 'dev' where none is asked for is above `extend_alone`, so that all would need an approval"]),
        ("{classes: {synthetic: 0}, quota: many}", ["2:41: quota of environment 'dev' must be a whole number, not 'many'"]),
        ("{classes: {synthetic: 0}, egress: dny}", ["2:42: unknown egress of environment 'dev' 'dny'; known are deny, allow; did you mean 'deny'?"]),
        ("{classes: {synthetic: 0}, egress: {exceptions: [everywhere]}}", ["2:55: exceptions of egress are like `mail.company.com:587` or `10.1.0.0/16:443`, not 'everywhere'"]),
        ("{classes: {synthetic: 0}, egress: {exceptions: ['a:0', 'a:65536', '10.0.0.1/8:1', 'a b:1']}}", ["2:55: exceptions of egress are like `mail.company.com:587` or `10.1.0.0/16:443`, not 'a:0'",
            "2:55: exceptions of egress are like `mail.company.com:587` or `10.1.0.0/16:443`, not 'a:65536'",
            "2:55: exceptions of egress are like `mail.company.com:587` or `10.1.0.0/16:443`, not '10.0.0.1/8:1'",
            "2:55: exceptions of egress are like `mail.company.com:587` or `10.1.0.0/16:443`, not 'a b:1'"]),
        ("{classes: {synthetic: 0}, change_window: {days: mon}}", ["2:49: change_window of environment 'dev' needs `from:` and `to:`"]),
        ("{classes: {synthetic: 0}, change_window: {days: [mo, mon-sat-sun], from: '9:00', to: '9:00', zone: Europe/Berln}}", [
            "2:56: unknown day 'mo'; did you mean 'mon'?",
            "2:56: unknown day 'mon-sat-sun'; write mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri",
            "2:93: change_window of environment 'dev' closes as it opens; whole days are from 00:00 to 24:00",
            "2:107: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"]),
        ("{classes: {synthetic: 0}, rules: {No: {require: 'true', message: x}}}", ["2:42: the name of a rule has lower-case letters, digits and hyphens, such as no-weekends, not 'No'"]),
        ("{classes: {synthetic: 0}, rules: {quota: {require: 'true', message: x}}}", ["2:42: 'quota' is the name of a rule that holds already; give yours another"]),
        ("{classes: {synthetic: 0}, rules: {own: {require: 'true'}}}", ["2:47: rule 'own' needs `message:`, for example `message: contractors have sandboxes of their own`"]),
        ("{classes: {synthetic: 0}, rules: {own: {require: \"ownr == 'a'\", message: x}}}", ["2:58: the expression of rule 'own': unknown name 'ownr'; did you mean 'owner'?"]),
        ("{classes: {synthetic: 0}, rules: {own: {require: live > 1 &&& true, message: x}}}", ["2:68: the expression of rule 'own': this is not CEL: it cannot be understood at '& true'"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_environment_is_told_with_its_place(written, said):
    assert sorted(of_environment(written)) == sorted(said)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{host: files}", ["6:12: template 'feature' needs `environment:`, for example `environment: dev`"]),
        ("{environment: dve, host: file}", ["6:26: template 'feature' names the environment 'dve', and there is none of that name; did you mean 'dev'?",
                                            "6:37: template 'feature' names the host 'file', and there is none of that name; did you mean 'files'?"]),
        ("{environment: dev, host: files, seeds: [synthetic]}", ["6:51: seeds of template 'feature' are like `synthetic:v1`, or `synthetic:*` for any version, not 'synthetic'"]),
        ("{environment: dev, host: files, seeds: ['*:*']}", ["6:51: seeds of template 'feature' are like `synthetic:v1`, or `synthetic:*` for any version, not '*:*'"]),
        ("{environment: dev, host: files, seeds: []}", ["6:51: seeds of template 'feature' must not be empty"]),
        ("{environment: dev, host: files, limits: {size: 10 apples}}", ["6:59: size of template 'feature': '10 apples' is no size; write it like 500MB, 10GB or 10GiB"]),
        ("{environment: dev, host: files, limits: {size: 0B}}", ["6:59: size of template 'feature' must be above 0"]),
        ("{environment: dev, host: files, limits: {connections: 0}}", ["6:66: connections of template 'feature' must be at least 1, not '0'"]),
        ("{environment: dev, host: files, limits: {statement: 8d}}", ["6:64: statement must be from 1s to 1w, not '8d'"]),
        ("{environment: dev, host: files, flags: {onboarding: on}}", ["6:64: flag 'onboarding' of template 'feature' must be true or false, not 'on'"]),
        ("{environment: dev, host: files, guardrails: {webhook: stub}}", ["6:57: unknown key 'webhook' in guardrails of template 'feature'; did you mean 'webhooks'?"]),
        ("{environment: dev, host: files, approved: {data: }}", ["6:61: who approved the data of template 'feature' must be text, not nothing"]),
        ("{environment: dev, host: files, demo: 1}", ["6:50: demo of template 'feature' must be true or false, not '1'"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_template_is_told_with_its_place(written, said):
    assert sorted(of_template(written)) == sorted(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["the file is empty; a file of environments begins with `environments:`"]),
        ("- a\n", ["1:1: a file of environments must be a mapping, not a list"]),
        (SMALL.replace("hosts:", "host:"), ["1:1: a file of environments needs `hosts:`, for example `hosts: {files: {kind: duckdb}}`",
            "3:1: unknown key 'host' in a file of environments; did you mean 'hosts'?",
            "6:37: template 'feature' names the host 'files', and there is none of that name"]),
        (SMALL.replace('"*@shop.example": []', "{}"), ["7:1: `owners:` must not be empty"]),
        (SMALL.replace("*@shop.example", "*"), ["8:3: an owner is an address, or `*@domain` for all others of a domain, not '*'"]),
        (SMALL.replace("{kind: duckdb}", "{kind: mysql}"), ["4:17: unknown kind of host 'mysql'; known are duckdb, sqlite, postgresql"]),
        (SMALL.replace("{kind: duckdb}", "{kind: postgresql, folder: /srv}"), ["4:10: host 'files' needs `url_from:`, the environment variable that holds the server's URL",
            "4:29: host 'files' is of kind postgresql, which has no `folder:`"]),
        (SMALL.replace("{kind: duckdb}", "{kind: sqlite, url_from: X}"), ["4:25: host 'files' is of kind sqlite, which has no `url_from:`"]),
        (SMALL.replace("  dev: {classes: {synthetic: 0}}", "  dev: {classes: {synthetic: 0}}\n  Dev: {loads: false}"), ["3:3: environments 'Dev' and 'dev' differ only in case, and some databases take them for one"]),
        (SMALL + "idle: 0s\n", ["9:7: idle must be from 1m to 366d, not '0s'"]),
        (SMALL + "webhook: {timeout: 1s}\n", ["9:10: webhook needs `url:`, for example `url: \"https://policy.company.com/sandboxes\"`"]),
        (SMALL + "webhook: {url: 'https://p.example/', timeout: 2m}\n", ["9:47: timeout must be from 100ms to 1m, not '2m'"]),
        (SMALL + "webhook: {url: 'http://p.example/'}\n", ["9:16: url of webhook must be https, since over http anybody on the way can answer; http is for this machine"]),
        (SMALL + "webhook: {url: 'ftp://p.example/'}\n", ["9:16: url of webhook must be like https://policy.company.com/sandboxes"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_rest_is_told_with_its_place(text, said):
    assert sorted(problems(text)) == sorted(said)


def test_a_rule_of_all_and_one_of_an_environment_have_different_names():
    text = SMALL.replace("{synthetic: 0}}", "{synthetic: 0}, rules: {own: {require: 'true', message: x}}}")
    assert problems(text + "rules: {own: {require: 'true', message: x}}\n") == [
        "9:9: rule 'own' stands in environment 'dev' too; give one another name"
    ]


@pytest.mark.parametrize("zone", ["Europe", "../etc", "/etc/localtime", "Mars/Olympus", "europe berlin"])
def test_what_is_no_time_zone_is_told(zone):
    window = f"change_window: {{days: [mon], from: '9:00', to: '10:00', zone: {zone}}}"
    (said,) = of_environment(f"{{classes: {{synthetic: 0}}, {window}}}")
    assert said.startswith(f"2:96: unknown time zone '{zone}'")


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/p", "http://127.0.0.1/p", "http://[::1]:9/p", "https://policy.shop.example:8443/p?a=b"]
)
def test_a_webhook_is_https_or_on_this_machine(url):
    assert parse_environments(SMALL + f"webhook: {{url: '{url}'}}\n").webhook == Webhook(url)


@pytest.mark.parametrize(
    "written",
    [
        SMALL.replace("{kind: duckdb}", "{kind: postgresql, url_from: 'postgresql://u:hunter2@h/db'}"),
        SMALL.replace("{kind: duckdb}", "{kind: postgresql, url_from: hunter2-secret}"),
        SMALL + "webhook: {url: 'https://u:hunter2@p.example/'}\n",
        SMALL + "webhook: {url: 'http://hunter2.example/'}\n",
        SMALL + "webhook: {url: 'https://p.example/', token_from: 'Bearer hunter2'}\n",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(written):
    assert "hunter2" not in "".join(problems(written))


def test_all_problems_are_told_at_once_in_the_order_of_the_file():
    text = SMALL.replace("{synthetic: 0}", "{synthtic: 0}").replace("duckdb", "dckdb").replace("host: files", "hots: files") + "idle: x\n"
    assert [line.split(":")[0] for line in problems(text)] == ["2", "4", "6", "6", "9"]


WORDS = st.sampled_from(
    ["", "null", "{}", "[]", "-1", "yes", "*approved", "{a: 1}", "[[x]]", "9e9", "'*'", "prod", "99999999999999999999y", "\u00e9:", "- x"]
)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_is_wrong_is_told_as_problems(data):
    """Any value of the example in place of which something else stands is read, or told as a problem of the file; what is read the JSON Schema takes, too."""
    lines = EXAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        begin = data.draw(st.integers(0, len(lines[number])))
        lines[number] = lines[number][:begin] + data.draw(WORDS) + data.draw(st.sampled_from(["", lines[number][begin + 3 :]]))
    text = "\n".join(lines) + "\n"
    try:
        found = parse_environments(text)
    except SchemaError:
        pass
    else:
        assert not any(is_production(name) and environment.loads for name, environment in found.environments.items())
        assert refusals(text) == []


# What is published


def test_the_published_files_are_current():
    assert PUBLISHED.read_text("utf-8") == published_text(), "run `make docs`"
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"


def test_the_json_schema_takes_what_the_reader_takes():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for text in (built_in_text(), EXAMPLE, SMALL):
        assert refusals(text) == []


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("hosts:", "host:"),
        SMALL.replace("synthetic", "syntetic"),
        SMALL.replace("{classes: {synthetic: 0}}", "{quota: 1}"),
        SMALL.replace("duckdb", "mysql"),
        SMALL.replace("  dev:", "  production: {classes: {synthetic: 0}}\n  dev:"),
        SMALL.replace("  dev:", "  production: {loads: true}\n  dev:"),
        SMALL.replace("host: files}", "host: files, limits: {size: much}}"),
        SMALL.replace("host: files}", "host: files, flags: {a: 7}}"),
        SMALL + "idle: long\n",
        SMALL + "webhook: {url: 'ftp://x'}\n",
    ],
)
def test_the_json_schema_refuses_what_is_wrong(text):
    assert refusals(text) != []
    assert problems(text) != []


PLACES = {
    "FILE": (),
    "ENVIRONMENT": ("environments", "dev"),
    "TTL": ("environments", "dev"),
    "EGRESS": ("environments", "dev"),
    "CHANGE_WINDOW": ("environments", "dev", "change_window"),
    "RULE": ("rules", "own"),
    "HOST": ("hosts", "files"),
    "TEMPLATE": ("templates", "feature"),
    "LIMITS": ("templates", "feature"),
    "GUARDRAILS": ("templates", "feature"),
    "APPROVED": ("templates", "feature"),
    "WEBHOOK": ("webhook",),
}
KEYS = [(name, key) for name in PLACES for key in getattr(grammar, name)]


@pytest.mark.parametrize(("kind", "key"), KEYS, ids=[f"{name.lower()}-{key.name}" for name, key in KEYS])
def test_the_example_of_every_key_is_read(kind, key):
    """Each stands where keys of its kind stand, beside what its kind needs."""
    document = yaml.safe_load(SMALL)
    place = document
    for step in PLACES[kind]:
        place = place.setdefault(step, {})
    if kind in ("CHANGE_WINDOW", "RULE", "WEBHOOK"):
        for needed in getattr(grammar, kind):
            place.update(yaml.safe_load(needed.example) if needed.required else {})
    place.update(yaml.safe_load(key.example))
    if key.name == "url_from":
        place["kind"] = "postgresql"
    if key.name == "loads":
        del place["classes"]
    text = yaml.safe_dump(document, sort_keys=False)
    parse_environments(text)
    assert refusals(text) == []
