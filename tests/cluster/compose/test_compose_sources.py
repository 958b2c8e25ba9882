"""What a deploy keeps of its files: each as it was written, and the variables that they name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from cluster.compose.loader import Loaded, Source, load
from cluster.sources import SourceFile
from tests.cluster.compose.files import FOLDER, joined, loaded, reader


def test_a_file_is_kept_with_its_comments_and_its_variables_as_written():
    text = "services:\n  web:  # the door\n    image: web:${TAG}\n"
    found = loaded(text, environment={"TAG": "2", "HOME": "/root"}).sources
    assert found.files == (SourceFile("c.yml", text),)
    assert found.variables == {"TAG": "2"}


def test_a_variable_is_named_in_a_branch_that_is_not_taken_too_and_one_without_a_value_is_not_kept():
    text = "services: {web: {image: 'web:${TAG:-${OTHER}}', labels: {a: '${MISSING:-x}', b: $PLAIN}}}"
    assert loaded(text, environment={"TAG": "2", "OTHER": "3", "PLAIN": "p"}).sources.variables == {
        "TAG": "2",
        "OTHER": "3",
        "PLAIN": "p",
    }


def test_every_file_that_is_joined_is_kept_once_by_its_name_from_the_first_one_s_folder():
    files = {
        "compose.yaml": "include: [parts/db.yaml]\nservices: {web: {extends: {file: base.yaml, service: web}}}",
        "over.yaml": "services: {web: {init: true}}",
        "base.yaml": "services: {web: {image: web}}",
        "parts/db.yaml": "services: {db: {image: db}}",
    }
    found = joined(files, "compose.yaml", "over.yaml", "over.yaml").sources
    assert {one.name: one.text for one in found.files} == files
    assert len(found.files) == len(files)


def test_what_is_in_no_file_is_kept_beside_the_file_that_it_includes():
    text = "include: [compose.yaml]\nservices: {db: {image: db}}"
    web = b"services: {web: {image: web}}"
    source = Source(f"{FOLDER}/.", text.encode(), "standard input")
    found = load([source], project=None, variables={}, read=reader({"compose.yaml": web}))
    assert sorted(found.spec.services) == ["db", "web"]
    assert found.sources.files == (SourceFile("standard input", text), SourceFile("compose.yaml", web.decode()))


def test_what_is_kept_shows_no_value_by_accident():
    found = loaded("services: {web: {image: '${SECRET}'}}", environment={"SECRET": "qualis-artifex"})
    assert "qualis" not in repr(found.sources)


def test_what_is_kept_is_all_that_it_takes_to_load_it_again():
    files = {
        "compose.yaml": "include: [../parts/db.yaml]\nservices: {web: {extends: {file: base.yaml, service: web}}}",
        "over.yaml": "services: {web: {command: ['${WORD}'], init: true}, debug: {image: tool, profiles: [debug]}}",
        "base.yaml": "services: {web: {image: 'web:${TAG-1}', command: [sleep]}}",
        "../parts/db.yaml": "services: {db: {image: db}, other: {image: tool, profiles: [other]}}",
    }
    first = again(files, ("compose.yaml", "over.yaml"), {"WORD": "run", "TAG": "2", "ELSE": "3"}, ("debug",))
    assert set(first.spec.services) == {"web", "db", "debug"}
    kept = first.sources
    assert (kept.roots, kept.profiles) == (("compose.yaml", "over.yaml"), ("debug",))
    texts = {one.name: one.text for one in kept.files}
    second = again(texts, kept.roots, kept.variables, kept.profiles)
    assert (second.spec, second.sources) == (first.spec, first.sources)


def again(
    files: Mapping[str, str], roots: Iterable[str], variables: Mapping[str, str], profiles: Iterable[str]
) -> Loaded:
    there = {posixpath.normpath(f"/srv/shop/{name}"): text.encode() for name, text in files.items()}
    sources = [Source(f"/srv/shop/{name}", there[f"/srv/shop/{name}"]) for name in roots]

    def read(path: str) -> bytes:
        if path not in there:
            raise FileNotFoundError(path)
        return there[path]

    return load(sources, project=None, variables=variables, read=read, profiles=profiles)
