"""`include`: files with a folder and variables of their own, laid under the one that includes them."""

from __future__ import annotations

import pytest

from cluster.compose.findings import ComposeError
from tests.cluster.compose.files import joined

WEB = "services: {web: {image: nginx}}"


def wrong(files: dict[str, str]) -> str:
    with pytest.raises(ComposeError) as caught:
        joined(files)
    return caught.value.findings[0].summary()


def test_what_is_included_belongs_to_the_stack_and_later_files_are_laid_over():
    files = {
        "a.yml": "include: [db.yml]\nservices: {web: {image: nginx, depends_on: [db]}}",
        "db.yml": "services: {db: {image: postgres, environment: {A: 1, B: 1}}}\nvolumes: {data: }",
        "c.yml": "services: {db: {environment: {A: 2}}}",
    }
    services = joined(files, "a.yml", "c.yml").document["services"]
    assert sorted(services) == ["db", "web"]
    assert services["db"]["environment"] == {"A": "2", "B": "1"}


def test_one_name_for_two_things_is_told_and_the_same_thing_twice_is_one():
    db = "services: {db: {image: postgres}}"
    files = {"a.yml": f"include: [b.yml, c.yml]\n{WEB}", "b.yml": db, "c.yml": db}
    assert sorted(joined(files).document["services"]) == ["db", "web"]
    files["c.yml"] = db.replace("postgres", "mysql")
    assert wrong(files) == (
        'a.yml:1:18: error: include[1]: "db" of services is said again at c.yml:1, and otherwise'
        " (rename one, or include both files by one path: [FILE, OVER IT])"
    )
    assert '"db" of services is said again at b.yml:1' in wrong(
        {"a.yml": f"include: [b.yml]\n{db}\n".replace("postgres", "x"), "b.yml": db}
    )


def test_paths_and_variables_are_those_of_its_own_folder():
    files = {
        "a.yml": f"include: [sub/b.yml]\n{WEB}",
        "sub/b.yml": "services: {b: {image: 'x:$TAG', volumes: ['./data:/data']}}",
        "sub/.env": "TAG=7\n",
    }
    found = joined(files).document["services"]["b"]
    assert (found["image"], found["volumes"][0]["source"]) == ("x:7", "/srv/shop/sub/data")


def test_an_entry_may_say_its_folder_and_variables_and_be_of_several_files():
    files = {
        "a.yml": "include: [{path: [sub/b.yml, sub/c.yml], project_directory: other, env_file: [v.env, w]}]\n" + WEB,
        "sub/b.yml": "services: {b: {image: $IMAGE, volumes: ['./data:/data']}}",
        "sub/c.yml": "services: {b: {command: [c]}}",
        "v.env": "IMAGE=redis\n",
        "w": "IMAGE=${IMAGE}:7\n",
    }
    found = joined(files).document["services"]["b"]
    assert (found["image"], found["command"]) == ("redis:7", ["c"])
    assert found["volumes"][0]["source"] == "/srv/shop/other/data"


def test_what_is_included_may_include():
    files = {
        "a.yml": f"include: [b/b.yml]\n{WEB}",
        "b/b.yml": "include: [../c.yml]",
        "c.yml": "services: {c: {image: x}}",
    }
    assert sorted(joined(files).document["services"]) == ["c", "web"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include: [gone.yml]", 'a.yml:1:11: error: include[0]: the file "gone.yml" does not exist'),
        ("include: ['oci://docker.io/x/y']", "is not on this machine (fetch it, and name the file)"),
        ("include: ['https://github.com/x/y.git']", "is not on this machine"),
        ("include: gone.yml", "include: must be a list, not a text"),
        ("include: [{project_directory: x}]", "include[0]: has no path (name the file: path: FILE)"),
        ("include: [{path: a, env: x}]", "include[0].env: unknown key"),
        ("include: [a.yml]", "files include each other: a.yml -> a.yml (remove one of these includes)"),
        ("include: [b.yml]", "files include each other: b.yml -> b.yml"),
        ("include: [empty.yml]", "empty.yml:1:1: error: the file is empty"),
    ],
)
def test_what_cannot_be_included_is_told(text: str, said: str):
    assert said in wrong({"a.yml": f"{text}\n{WEB}", "b.yml": "include: [b.yml]", "empty.yml": ""})


def test_includes_that_multiply_are_bounded():
    files = {f"{n}.yml": f"include: [{n + 1}.yml, {n + 1}.yml]" for n in range(12)}
    assert "more than 100 files are included" in wrong({**files, "12.yml": WEB})


def test_a_large_file_is_not_read_again_and_again():
    files = {"a.yml": f"include: [{', '.join(['b.yml'] * 9)}]\n{WEB}", "b.yml": f"#{'x' * 2_000_000}\nservices: {{}}\n"}
    assert "the files of one stack hold more than 16777216 bytes" in wrong(files)
