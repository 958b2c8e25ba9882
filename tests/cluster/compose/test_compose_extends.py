"""`extends`: chains, other files, circles."""

from __future__ import annotations

import pytest

from cluster.compose.findings import ComposeError
from tests.cluster.compose.files import joined


def wrong(files: dict[str, str]) -> list[str]:
    with pytest.raises(ComposeError) as caught:
        joined(files)
    return [finding.summary() for finding in caught.value.findings]


def test_a_chain_is_followed_to_its_end():
    text = """
        services:
          top: {extends: mid, environment: {C: top}, command: [other], labels: {y: "2"}}
          mid: {extends: {service: base}, environment: {B: mid}}
          base: {image: nginx, environment: {A: base, B: base, C: base}, command: [one], labels: {x: "1"}}
    """
    services = joined({"a.yml": text}).document["services"]
    assert services["top"]["environment"] == {"A": "base", "B": "mid", "C": "top"}
    assert services["top"]["labels"] == {"x": "1", "y": "2"}
    assert (services["top"]["command"], services["mid"]["command"]) == (["other"], ["one"])
    assert "extends" not in services["top"]


def test_paths_and_variables_files_begin_at_the_extended_file():
    files = {
        "a.yml": "services: {web: {extends: {file: common/b.yml, service: app}, environment: {X: '1'}}}",
        "common/b.yml": """
            services:
              app:
                image: app
                env_file: b.env
                volumes: ["./data:/data"]
                extends: {file: c.yml, service: root}
        """,
        "common/c.yml": "services: {root: {image: root, labels: {from: c}, volumes: ['../logs:/logs']}}",
        "common/b.env": "FROM_B=1\n",
    }
    found = joined(files).document["services"]["web"]
    assert found["image"] == "app"
    assert found["environment"] == {"FROM_B": "1", "X": "1"}
    assert [mount["source"] for mount in found["volumes"]] == ["/srv/shop/logs", "/srv/shop/common/data"]
    assert found["labels"] == {"from": "c"}


def test_what_is_extended_can_be_reset_and_replaced_in_later_files_too():
    files = {
        "a.yml": "services: {web: {image: x, ports: ['80:80'], command: [a]}}",
        "b.yml": """
            services:
              base: {image: x, ports: ["81:81"], command: [b]}
              web: {extends: base, ports: !override ["82:82"], command: !reset null}
        """,
    }
    found = joined(files, "a.yml", "b.yml").document["services"]["web"]
    assert [port["target"] for port in found["ports"]] == [82]
    assert found["command"] is None


def test_a_long_chain_is_walked():
    lines = "".join(f"  s{n}: {{extends: s{n + 1}}}\n" for n in range(1_500))
    found = joined({"a.yml": f"services:\n{lines}  s1500: {{image: nginx}}\n"}).document["services"]
    assert {one["image"] for one in found.values()} == {"nginx"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {image: x, extends: a}", "services extend each other: a in a.yml -> a in a.yml"),
        (
            "a: {extends: b}\n  b: {extends: c}\n  c: {extends: b, image: x}",
            "services extend each other: b in a.yml -> c in a.yml -> b in a.yml",
        ),
        ("a: {extends: b}", 'services.a.extends: there is no service "b" in a.yml (the services are a)'),
        ("a: {extends: {file: gone.yml, service: b}}", 'services.a.extends: the file "gone.yml" does not exist'),
        ("a: {extends: {file: 'https://x.example/y.yml', service: b}}", "is not on this machine (fetch it"),
        ("a: {extends: {file: x.yml}}", "services.a.extends: has no service (name the service: service: NAME)"),
        ("a: {extends: {servce: b}}", 'services.a.extends.servce: unknown key (did you mean "service"?)'),
        ("a: {extends: [b]}", "services.a.extends: must be a text, not a list"),
    ],
)
def test_what_leads_nowhere_is_told(text: str, said: str):
    assert said in wrong({"a.yml": f"services:\n  {text}\n"})[0]


def test_a_circle_over_two_files_is_told():
    files = {
        "a.yml": "services: {a: {extends: {file: b.yml, service: b}}}",
        "b.yml": "services: {b: {image: x, extends: {file: a.yml, service: a}}}",
    }
    assert "services extend each other: b in b.yml -> a in a.yml -> b in b.yml" in wrong(files)[0]


def test_what_is_wrong_in_an_extended_file_is_told_there():
    files = {
        "a.yml": "services: {a: {extends: {file: b.yml, service: b}}}",
        "b.yml": "services:\n  b: {image: x, tty: 7}\n",
    }
    assert wrong(files) == ['b.yml:2:22: error: services.a.tty: must be true or false, not "7"']
    files["b.yml"] = "services: {b: [\n"
    assert wrong(files)[0].startswith("b.yml:2:1: error: not YAML: ")


def test_what_is_extended_many_times_is_bounded():
    labels = ", ".join(f"l{n}: x" for n in range(4_000))
    services = "".join(f"  s{n}: {{extends: base, labels: {{own: '{n}'}}}}\n" for n in range(1_000))
    text = f"services:\n  base: {{image: x, labels: {{{labels}}}}}\n{services}"
    assert "the extends of this stack stand for too much" in wrong({"a.yml": text})[0]
