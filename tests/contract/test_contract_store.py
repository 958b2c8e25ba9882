"""The store's contract on each engine there is."""

from functools import partial
from pathlib import Path

import pytest

from store.sqlite import SqliteStore
from tests.contract.store_contract import OpenStore, StoreContract


@pytest.mark.anyio
class TestSqliteOnThreads(StoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> OpenStore:
        return partial(SqliteStore.open, tmp_path / "store" / "gbnt.db")


@pytest.mark.anyio
class TestSqliteOnTheLoop(StoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> OpenStore:
        return partial(SqliteStore.open, tmp_path / "store" / "gbnt.db", threaded=False)
