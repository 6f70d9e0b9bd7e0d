"""Customers are connected components: the order of arrival does not matter, and an undo restores what was."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.components import Change, compare, components

IDS = [UUID(int=number) for number in range(8)]
PAIRS = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), max_size=12)


def apply(before: dict[UUID, UUID], change: Change) -> dict[UUID, UUID]:
    """What a reader of the log that follows the entries ends up with, given the map as it is now."""
    return {**before, **change.moved}


@given(PAIRS, st.randoms())
def test_the_order_of_links_does_not_matter(links, random):
    shuffled = [pair[::-1] if random.random() < 0.5 else pair for pair in random.sample(links, len(links))]
    assert components(IDS, shuffled) == components(IDS, links)


@given(PAIRS)
def test_a_customer_is_named_after_its_oldest_identity(links):
    mapping = components(IDS, links)
    for customer in set(mapping.values()):
        assert customer == min(identity for identity, named in mapping.items() if named == customer)


@given(PAIRS, st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)))
def test_undoing_a_link_restores_exactly_what_was(links, extra):
    before = components(IDS, links)
    after = components(IDS, [*links, extra])
    again = components(IDS, links)
    assert again == before
    assert apply(apply(before, compare(before, after)), compare(after, again)) == before


@given(PAIRS, PAIRS)
def test_readers_are_told_of_every_identity_that_moved(some, others):
    before, after = components(IDS, some), components(IDS, others)
    change = compare(before, after)
    told = {identity for entry in (*change.merges, *change.splits) for identity in entry.identities}
    assert told == {identity for identity in IDS if before[identity] != after[identity]}
    for entry in change.merges:
        assert entry.into is not None
        assert {after[identity] for identity in entry.identities} == {entry.into}


@given(PAIRS, PAIRS)
def test_an_id_that_is_no_customer_any_more_is_known_to_have_ended(some, others):
    before, after = components(IDS, some), components(IDS, others)
    change = compare(before, after)
    assert set(before.values()) - change.ended == set(before.values()) & set(after.values())


def test_identities_that_nobody_has_seen_yet_are_not_told_of():
    alone = {identity: identity for identity in IDS[:3]}
    joined = components(IDS[:3], [(IDS[0], IDS[1])])
    assert compare(alone, joined, unpublished=[IDS[1]]).merges == []
    assert [entry.identities for entry in compare(alone, joined).merges] == [[IDS[1]]]
