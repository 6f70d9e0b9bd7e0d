"""Which claims are believed: servers' within limits, public keys' hardly ever."""

from itertools import count
from uuid import UUID

import pytest

from services.profile.domain import linking
from services.profile.domain.linking import Board, Claimed, Node, Partner


class House:
    """Builds a board: people with names, and the claims about them."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.nodes: list[Node] = []
        self.partners: list[tuple[UUID, Partner]] = []

    def add(self, kind: str, customer: Node | None = None, *, vouched: bool = True) -> Node:
        identity_id = UUID(int=next(self._numbers))
        node = Node(identity_id, kind, customer.customer_id if customer else identity_id, vouched)
        self.nodes.append(node)
        return node

    def linked(self, one: Node, two: Node, *, trusted: bool = True) -> None:
        self.partners += [
            (one.identity_id, Partner(two.identity_id, two.kind, trusted)),
            (two.identity_id, Partner(one.identity_id, one.kind, trusted)),
        ]

    def board(self) -> Board:
        return Board(self.nodes, self.partners, self.nodes)


@pytest.fixture
def house() -> House:
    return House()


def refusal(board: Board, own: Node, other: Node, *, trusted: bool = True, alias: bool = False) -> str | None:
    return board.decide(Claimed(own.identity_id, other.identity_id, trusted, alias)).refused


def test_a_server_joins_a_user_with_browser_mail_and_phone(house):
    mei, browser, mail, phone = (house.add(kind) for kind in ("user_id", "anonymous_id", "email", "phone"))
    board = house.board()
    assert [refusal(board, mei, other) for other in (browser, mail, phone)] == [None, None, None]


def test_a_mailbox_of_a_sixth_user_is_shared_and_joins_nobody_more(house):
    mail = house.add("email")
    users = [house.add("user_id") for _ in range(7)]
    board = house.board()
    refused = [refusal(board, user, mail) for user in users]
    assert refused == [None] * 5 + [linking.SHARED_CONTACT] * 2


def test_links_from_earlier_rounds_count_towards_the_limit(house):
    mail, sixth = house.add("email"), house.add("user_id")
    for _ in range(5):
        house.linked(mail, house.add("user_id", mail))
    assert refusal(house.board(), sixth, mail) == linking.SHARED_CONTACT


def test_a_shared_browser_stays_with_the_first_user(house):
    mei, li, browser = house.add("user_id"), house.add("user_id"), house.add("anonymous_id")
    board = house.board()
    assert refusal(board, mei, browser) is None
    assert refusal(board, li, browser) == linking.ANONYMOUS_TAKEN
    assert refusal(board, li, browser, alias=True) == linking.ANONYMOUS_TAKEN


def test_a_user_may_have_many_browsers(house):
    mei = house.add("user_id")
    browsers = [house.add("anonymous_id") for _ in range(20)]
    board = house.board()
    assert {refusal(board, mei, browser) for browser in browsers} == {None}


def test_two_users_are_joined_by_a_servers_alias_only(house):
    old, new = house.add("user_id"), house.add("user_id")
    board = house.board()
    assert refusal(board, new, old) == linking.UNTRUSTED
    assert refusal(board, new, old, trusted=False, alias=True) == linking.UNTRUSTED
    assert refusal(board, new, old, alias=True) is None


def test_nobody_has_more_than_ten_user_ids(house):
    users = [house.add("user_id") for _ in range(12)]
    mails = [house.add("email") for _ in range(11)]
    board = house.board()
    chained = []
    for number, mail in enumerate(mails):
        assert refusal(board, users[number], mail) is None
        chained.append(refusal(board, users[number + 1], mail))
    assert chained[:10] == [None] * 9 + [linking.CUSTOMER_FULL]
    assert refusal(board, users[11], mails[0]) == linking.CUSTOMER_FULL
    assert refusal(board, users[10], users[0], alias=True) is None


def test_a_public_key_joins_its_browser_to_a_user_no_server_has_named(house):
    mei, browser = house.add("user_id", vouched=False), house.add("anonymous_id", vouched=False)
    assert refusal(house.board(), mei, browser, trusted=False) is None


def test_a_public_key_never_joins_its_browser_to_a_user_a_server_knows(house):
    mei, browser = house.add("user_id"), house.add("anonymous_id", vouched=False)
    assert refusal(house.board(), mei, browser, trusted=False) == linking.UNTRUSTED


def test_a_public_key_never_merges_two_identified_customers(house):
    mei, li = house.add("user_id", vouched=False), house.add("user_id", vouched=False)
    browser, mail = house.add("anonymous_id", vouched=False), house.add("email", vouched=False)
    board = house.board()
    assert refusal(board, mei, browser, trusted=False) is None
    assert refusal(board, li, browser, trusted=False) == linking.ANONYMOUS_TAKEN
    assert refusal(board, mail, browser, trusted=False) == linking.UNTRUSTED
    assert refusal(board, mei, mail, trusted=False) == linking.UNTRUSTED


def test_a_server_outranks_what_a_public_key_claimed(house):
    stranger, mei = house.add("user_id", vouched=False), house.add("user_id")
    browser = house.add("anonymous_id", stranger, vouched=False)
    house.linked(stranger, browser, trusted=False)
    decision = house.board().decide(Claimed(mei.identity_id, browser.identity_id, True, False))
    assert decision.refused is None
    assert decision.ended == ((stranger.identity_id, browser.identity_id),)
