import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.address import Address

names = st.text(min_size=1, max_size=8).filter(lambda text: "/" not in text)
addresses = st.builds(Address, names, st.lists(names, max_size=4).map("/".join))


@given(addresses)
def test_parse_reads_what_str_wrote(address: Address):
    assert Address.parse(str(address)) == address


@given(addresses, names)
def test_a_child_knows_its_name_and_parent(address: Address, name: str):
    child = address / name
    assert (child.name, child.parent, child.node) == (name, address, address.node)


def test_the_root_is_its_own_parent():
    root = Address("rome-1")
    assert (str(root), root.name, root.parent) == ("rome-1", "", root)


def test_addresses_are_ordered_by_node_and_path():
    assert sorted([Address("b", "a"), Address("a", "z"), Address("a")]) == [
        Address("a"),
        Address("a", "z"),
        Address("b", "a"),
    ]


@pytest.mark.parametrize("text", ["", "/senate", "rome-1/", "rome-1//senate", "rome-1/senate/"])
def test_nonsense_is_refused(text: str):
    with pytest.raises(ValueError, match=r"cannot name a node|is no path|is no address"):
        Address.parse(text)
