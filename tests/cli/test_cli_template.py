"""`--format TEMPLATE`: fields, functions and tables as docker's users know them, and what is no template."""

import pytest

from cli.errors import BadInput
from cli.table import Column, Row, render
from cli.template import parse
from cli.words import clock_time

ROW = {
    "id": "w7k2m0q4t1zb",
    "name": "shop/web",
    "container_name": "shop-web-1-f3yzde",
    "replicas": 3,
    "share": 0.5,
    "stopped": False,
    "exit_code": None,
    "ports": [{"published": 80, "target": 8080}],
    "volumes": ["a", "b"],
    "labels": {"gpu": "nvidia", "disk": ""},
    "spec": {"image": "busybox", "depends_on": {"db": {}}},
    "message": "a\x1b[2J",
}
COLUMNS: tuple[Column[Row], ...] = (
    Column("PORTS", lambda row: [f"*:{port['published']}" for port in row["ports"]]),
    Column("LAST USED", lambda row: "5m"),
)


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{{.Name}}", "shop/web"),
        ("{{ .name }}: {{.Replicas}}", "shop/web: 3"),
        ("{{.ContainerName}} {{.container_name}} {{.CONTAINERNAME}}", " ".join(["shop-web-1-f3yzde"] * 3)),
        (r"{{.ID}}\t{{.Name}}\n", "w7k2m0q4t1zb\tshop/web\n"),
        ("{{.Share}} {{.Stopped}} [{{.ExitCode}}]", "0.5 false []"),
        ("{{.Spec.Image}} {{json .Spec.DependsOn}}", 'busybox {"db":{}}'),
        ("{{.Volumes}} {{json .Volumes}}", '["a","b"] ["a","b"]'),
        ('{{join .Volumes ", "}}', "a, b"),
        ('{{index .Labels "gpu"}}|{{index .Labels "none"}}|{{index .Volumes 1}}|{{index .Volumes 9}}', "nvidia||b|"),
        ("{{.Labels.gpu}}", "nvidia"),
        ("{{upper .Name}} {{.Name | upper | lower}} {{title .Name}}", "SHOP/WEB shop/web Shop/Web"),
        ('{{len .Volumes}} {{truncate .ID 4}} {{json (split .Name "/")}}', None),
        ('{{len .Volumes}} {{truncate .ID 4}} {{split .Name "/" | json}}', '2 w7k2 ["shop","web"]'),
        ('{{"a \\"quoted\\" text"}} {{`as it is`}}', 'a "quoted" text as it is'),
        ("{{.Ports}} {{json .Ports}}", '*:80 [{"published":80,"target":8080}]'),
        ("{{.LastUsed}} {{.last_used}}", "5m 5m"),
        ("{{.Message}}", "a\\x1b[2J"),
    ],
)
def test_a_line_of_a_template(template: str, line: str | None):
    if line is None:
        with pytest.raises(BadInput, match="is not understood"):
            parse(template)
    else:
        assert parse(template).line(ROW, COLUMNS) == line


def test_times_and_sizes_are_in_the_words_of_tables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    row = {"since": 940.0, "at": "1970-01-01T00:01:00Z", "ended": None, "size": 3_400_000, "name": "x"}
    assert parse("{{since .Since}} {{.At | since}} {{since .Ended}} {{bytes .Size}}").line(row) == "60s 15m - 3.4 MB"
    assert parse("{{time .Since}} {{time .Ended}}").line(row) == f"{clock_time(940.0)} -"
    for template in ("{{since .Name}}", "{{time .Name}}", "{{bytes .Name}}"):
        with pytest.raises(BadInput, match='does not take "x"'):
            parse(template).line(row)


def test_json_is_the_whole_row():
    assert parse("json").line({"a": [1], "b": None}) == parse("{{json .}}").line({"a": [1], "b": None})
    assert parse("json").line({"a": [1], "b": None}) == '{"a":[1],"b":null}'


def test_a_table_has_titles_and_aligned_columns():
    template = parse(r"table {{.Name}}\t{{.ContainerName}}\tis {{upper .Spec.Image}}")
    assert template.is_table
    rows = [ROW, {**ROW, "name": "a/b", "spec": {"image": "nginx"}}]
    assert render(rows, template.table(COLUMNS)).splitlines() == [
        "NAME      CONTAINER NAME     is IMAGE",
        "shop/web  shop-web-1-f3yzde  is BUSYBOX",
        "a/b       shop-web-1-f3yzde  is NGINX",
    ]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("name", "names no field: write one as {{.Name}}"),
        ("{{.Name", "opens or closes what it does not close or open"),
        (".Name}}", "opens or closes"),
        ("{{.Name}} }}", "opens or closes"),
        ("{{}}", "one value is printed, not 0"),
        ("{{.Name .ID}}", "one value is printed, not 2"),
        ("{{range .Ports}}x{{end}}", 'there is no function "range"; there are json, upper'),
        ("{{uper .Name}}", '(did you mean "upper"?)'),
        ("{{join .Volumes}}", "join takes 2, not 1"),
        ("{{.Name | .ID}}", "a function stands first"),
        ("{{.Name upper}}", "a function stands first"),
        (f"{{{{truncate .Name {'9' * 5_000}}}}}", "is too great a number"),
        ("{{.Name + .ID}}", "is not understood; of more than fields and functions"),
    ],
)
def test_what_is_no_template_is_known_before_anybody_is_asked(template: str, said: str):
    with pytest.raises(BadInput) as refused:
        parse(template)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{.Nmae}}", 'there is no field "Nmae" (did you mean "name"?); there are id, name,'),
        ("{{.ContanerName}}", '(did you mean "container_name"?)'),
        ("{{.Spec.Imgae}}", 'there is no field "Imgae" (did you mean "image"?); there are image, depends_on'),
        ("{{.Name.First}}", ".Name has no fields, and so no First"),
        ('{{join .Name ","}}', "join does not take"),
        ("{{len .Replicas}}", "len does not take 3: it takes a text, a list or an object"),
        ('{{truncate .Name "x"}}', "truncate does not take"),
        ('{{index .Name "x"}}', "index does not take"),
    ],
)
def test_what_a_row_does_not_have_is_said_with_what_was_meant(template: str, said: str):
    with pytest.raises(BadInput) as refused:
        parse(template).line(ROW, COLUMNS)
    assert said in str(refused.value)
