"""Sign-ins to registries are sealed by the authority's key, each for its own place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actors.keyring import Unopened
from cli.vault import AuthorityVault
from cluster.model import RegistryLogin
from cluster.registries import Credential
from transport.identity import ClusterCA

NERO = Credential("nero", "qualis-artifex")


def authority(folder: Path, cluster: str = "legion") -> ClusterCA:
    return ClusterCA(folder, cluster, lambda: 1_700_000_000.0)


def kept(vault: AuthorityVault, registry: str = "hub.example", stack: str = "shop") -> RegistryLogin:
    return RegistryLogin(registry, stack, "nero", vault.seal(registry, stack, NERO), 0.0)


def test_what_was_sealed_is_opened_by_the_same_authority_after_a_restart(tmp_path: Path):
    login = kept(AuthorityVault(authority(tmp_path)))
    assert AuthorityVault(authority(tmp_path)).open(login) == NERO


def test_what_is_kept_shows_neither_the_secret_nor_that_two_are_the_same(tmp_path: Path):
    vault = AuthorityVault(authority(tmp_path))
    one, other = kept(vault), kept(vault)
    assert one.sealed != other.sealed
    assert "qualis" not in one.sealed


@pytest.mark.parametrize("moved", [{"registry": "evil.example"}, {"stack": ""}, {"sealed": "AAAA"}, {"sealed": "?"}])
def test_what_was_moved_or_changed_is_not_opened(tmp_path: Path, moved: dict[str, str]):
    vault = AuthorityVault(authority(tmp_path))
    with pytest.raises(Unopened, match="sign in anew by `gbnt registry login"):
        vault.open(replace(kept(vault), **moved))  # type: ignore[arg-type]


def test_a_text_is_unlocked_at_its_place_and_by_its_authority_alone(tmp_path: Path):
    vault = AuthorityVault(authority(tmp_path / "one"))
    sealed = vault.lock("sources of stack shop", "TAG=qualis")
    assert AuthorityVault(authority(tmp_path / "one")).unlock("sources of stack shop", sealed) == "TAG=qualis"
    assert "qualis" not in sealed
    for other, place in ((vault, "sources of stack blog"), (AuthorityVault(authority(tmp_path / "two")), "shop")):
        with pytest.raises(Unopened, match="sealed by another authority: deploy it again"):
            other.unlock(place, sealed)


def test_another_authority_opens_nothing(tmp_path: Path):
    login = kept(AuthorityVault(authority(tmp_path / "one")))
    for other in (authority(tmp_path / "two"), authority(tmp_path / "one", "other")):
        with pytest.raises(Unopened):
            AuthorityVault(other).open(login)


def test_a_derived_key_is_of_its_purpose_alone(tmp_path: Path):
    ours = authority(tmp_path)
    assert ours.derived("one") == ours.derived("one") != ours.derived("two")
    assert len(ours.derived("one")) == 32
