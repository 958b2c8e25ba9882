"""What a deploy keeps of its files: each as it was written, and the variables that they name."""

from __future__ import annotations

from cluster.sources import SourceFile
from tests.cluster.compose.files import joined, loaded


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


def test_what_is_kept_shows_no_value_by_accident():
    found = loaded("services: {web: {image: '${SECRET}'}}", environment={"SECRET": "qualis-artifex"})
    assert "qualis" not in repr(found.sources)
