"""A sealed file gives back what was put in, or is refused: whatever was done to it, and whoever made it."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.backup import seal as sealing
from cli.backup.seal import CHUNK, SALT, TAG, Cost, Damaged, Foreign, SealError, WrongPassphrase, seal, unseal

CHEAP = Cost(doublings=1, block=1, passes=1)
HEADER = 8 + 1 + 3 + SALT + 32
OURS = "correct horse battery"
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]


def sealed(content: bytes, passphrase: str = OURS, salt: bytes = b"s" * SALT) -> bytes:
    return b"".join(seal([content], passphrase, salt, CHEAP))


def opened(file: bytes, passphrase: str = OURS) -> bytes:
    return b"".join(unseal(BytesIO(file), passphrase))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks of 16 bytes, so that a file of some is small enough to try all that can be done to it."""
    monkeypatch.setattr(sealing, "CHUNK", 16)
    return 16 + TAG


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_in_comes_out(size: int):
    content = bytes(number % 251 for number in range(size))
    assert opened(sealed(content)) == content


@given(st.lists(st.binary(max_size=40_000), max_size=8), st.text(max_size=40), st.binary(min_size=SALT, max_size=SALT))
def test_in_whatever_pieces_and_by_whatever_passphrase(pieces: list[bytes], passphrase: str, salt: bytes):
    file = b"".join(seal(pieces, passphrase, salt, CHEAP))
    content = b"".join(pieces)
    assert opened(file, passphrase) == content
    assert len(file) == HEADER + len(content) + TAG * max(1, -(-len(content) // CHUNK))


@given(st.text(max_size=40), st.text(max_size=40))
def test_another_passphrase_is_told(passphrase: str, other: str):
    if passphrase == other:
        other += "x"
    with pytest.raises(WrongPassphrase):
        opened(sealed(b"state", passphrase), other)


def test_the_same_content_is_never_sealed_to_the_same_file():
    one, another = sealed(b"state" * 99), sealed(b"state" * 99, salt=b"t" * SALT)
    assert b"state" not in one
    assert one[HEADER:] != another[HEADER:]


def test_each_bit_that_is_changed_is_noticed(small_chunks: int):
    file = sealed(bytes(range(40)))
    assert len(file) == HEADER + 40 + 3 * TAG
    for place in range(len(file)):
        for bit in range(8):
            changed = bytearray(file)
            changed[place] ^= 1 << bit
            with pytest.raises(SealError if place < HEADER else Damaged):
                opened(bytes(changed))


def test_each_byte_that_is_cut_off_or_added_is_noticed(small_chunks: int):
    file = sealed(bytes(range(40)))
    for length in range(len(file)):
        with pytest.raises(SealError):
            opened(file[:length])
    for more in (b"\0", file[-1:], file[HEADER:], bytes(small_chunks)):
        with pytest.raises(Damaged):
            opened(file + more)


@pytest.mark.parametrize(
    "order", [(1, 0, 2), (0, 2, 1), (0, 0, 1, 2), (0, 2), (0, 1), (2,), (0, 1, 1)], ids=lambda order: str(order)
)
def test_chunks_in_another_order_are_noticed(small_chunks: int, order: tuple[int, ...]):
    file = sealed(bytes(range(48)))
    chunks = [file[start : start + small_chunks] for start in range(HEADER, len(file), small_chunks)]
    assert len(chunks) == 3
    with pytest.raises(Damaged):
        opened(file[:HEADER] + b"".join(chunks[number] for number in order))


def test_a_chunk_of_another_file_by_the_same_passphrase_is_noticed():
    one, another = sealed(b"a" * 40), sealed(b"b" * 40, salt=b"t" * SALT)
    with pytest.raises(Damaged):
        opened(one[:HEADER] + another[HEADER:])


@given(st.binary(max_size=400))
def test_a_file_of_anything_is_refused(rubbish: bytes):
    with pytest.raises(Foreign):
        opened(rubbish if not rubbish.startswith(sealing.MAGIC) else b"x" + rubbish)
    with pytest.raises(SealError):
        opened(sealing.MAGIC + rubbish)


@pytest.mark.parametrize("cost", [(255, 8, 1), (18, 9, 1), (17, 255, 1), (17, 8, 5), (0, 8, 1), (17, 0, 1), (17, 8, 0)])
def test_a_file_that_asks_for_too_much_is_refused_before_it_gets_any(
    monkeypatch: pytest.MonkeyPatch, cost: tuple[int, int, int]
):
    monkeypatch.setattr(sealing, "Scrypt", None)
    file = bytearray(sealing.MAGIC + bytes(HEADER))
    file[8:12] = bytes((1, *cost))
    with pytest.raises(Foreign, match="asks for more memory than any backup"):
        opened(bytes(file))


def test_a_file_of_a_later_format_is_told():
    file = bytearray(sealed(b"state"))
    file[8] = 2
    with pytest.raises(Foreign, match="is of format 2, and this gbnt knows 1 alone: use the gbnt that wrote it"):
        opened(bytes(file))


def test_what_gbnt_asks_for_itself_is_much_and_not_too_much():
    assert 64 << 20 <= Cost().memory <= 128 << 20
    assert Cost().is_bearable()
