"""The catalogue over HTTP."""

import pytest

from tests.integration.recommend.conftest import TEAS, tea


def test_the_catalogue_is_written_and_read_back(recommend_api, teas):
    reply = recommend_api.get("/v1/items/longjing")
    assert reply.status_code == 200
    item = reply.get_json()
    assert (item["name"], item["category"], item["price_minor"], item["currency"]) == (
        "龙井 Longjing",
        ["Tea", "Green"],
        2800,
        "CNY",
    )


def test_a_second_put_replaces_and_keeps_the_items_key(recommend_api, recommend_tx, teas):
    before = recommend_tx.value("SELECT item_key FROM item WHERE item_id = 'cup'")
    assert recommend_api.put("/v1/items", json={"items": [tea("cup", 13, "Ware"), tea("tin", 9, "Ware")]}).json == {
        "items": 2,
        "version": 2,
    }
    assert recommend_api.get("/v1/items/cup").get_json()["price_minor"] == 1300
    assert recommend_tx.value("SELECT item_key FROM item WHERE item_id = 'cup'") == before
    keys = recommend_tx.all("SELECT item_key FROM item ORDER BY item_key")
    assert [row["item_key"] for row in keys] == list(range(len(TEAS) + 1))


def test_one_wrong_item_refuses_the_request_names_the_path_and_writes_nothing(recommend_api):
    items = [tea("good", 1, "Tea"), {**tea("bad", 1, "Tea"), "stock": "many"}, {"item_id": "nameless"}]
    reply = recommend_api.put("/v1/items", json={"items": items})
    assert reply.status_code == 422
    assert [error["path"] for error in reply.get_json()["errors"]] == ["items[1].stock", "items[2]"]
    assert recommend_api.get("/v1/items/good").status_code == 404


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"price": -1}, "items[0].price"),
        ({"currency": None}, "items[0].currency"),
        ({"currency": "yuan"}, "items[0].currency"),
        ({"colour": "red"}, "items[0]"),
        ({"item_id": ""}, "items[0].item_id"),
        ({"name": "with\0null"}, "items[0].name"),
        ({"attributes": {"deep": ["a\0b"]}}, "items[0].attributes"),
        ({"attributes": {"long": "x" * 20_000}}, "items[0].attributes"),
        ({"published_at": "2026-05-20T00:00:00"}, "items[0].published_at"),
    ],
)
def test_what_is_wrong_with_an_item_is_named(recommend_api, change, path):
    reply = recommend_api.put("/v1/items", json={"items": [{**tea("longjing", 1, "Tea"), **change}]})
    assert (reply.status_code, reply.get_json()["errors"][0]["path"]) == (422, path)


def test_the_same_item_twice_in_a_request_is_an_error(recommend_api):
    reply = recommend_api.put("/v1/items", json={"items": [tea("cup", 1, "Ware"), tea("cup", 2, "Ware")]})
    assert reply.get_json()["errors"] == [{"path": "items[1].item_id", "message": "'cup' is in this request twice"}]


def test_more_than_five_thousand_items_are_too_many(recommend_api):
    items = [{"item_id": str(number), "name": "x"} for number in range(5_001)]
    assert recommend_api.put("/v1/items", json={"items": items}).status_code == 413


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 422), (b'{"things": []}', 422), (b"", 400)])
def test_a_body_that_is_no_list_of_items_is_a_clear_problem(recommend_api, body, status):
    reply = recommend_api.put("/v1/items", data=body)
    assert (reply.status_code, reply.content_type) == (status, "application/problem+json")


def test_the_list_goes_page_by_page_through_all_items(recommend_api, teas):
    found, cursor = [], None
    while True:
        reply = recommend_api.get("/v1/items", query_string={"limit": 4, **({"cursor": cursor} if cursor else {})})
        found += [item["item_id"] for item in reply.get_json()["items"]]
        cursor = reply.get_json()["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(item["item_id"] for item in TEAS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "HILL"}, ["biluochun", "longjing"]),
        ({"q": "龙井"}, ["longjing"]),
        ({"q": "100%"}, []),
        ({"category": "Tea"}, ["biluochun", "longjing", "puer"]),
        ({"category": "Dark", "q": "pu"}, ["puer"]),
    ],
)
def test_items_are_found_by_words_and_by_category(recommend_api, teas, query, found):
    reply = recommend_api.get("/v1/items", query_string=query)
    assert [item["item_id"] for item in reply.get_json()["items"]] == found


def test_a_cursor_that_is_not_ours_is_refused(recommend_api):
    assert recommend_api.get("/v1/items?cursor=nonsense").status_code == 400


def test_an_item_that_does_not_exist_is_not_found(recommend_api):
    assert recommend_api.get("/v1/items/nothing").status_code == 404


@pytest.mark.parametrize("kind", ["collect", "storefront", None])
def test_a_public_key_cannot_write_the_catalogue(recommend_api, kind):
    reply = recommend_api.as_key(kind).put("/v1/items", json={"items": []})
    assert reply.status_code == (401 if kind is None else 403)


def test_other_services_see_the_catalogue_and_what_can_be_bought(recommend_api, campaign_tx, teas):
    recommend_api.put("/v1/items", json={"items": [tea("cup", 12.5, "Ware", stock=0)]})
    rows = campaign_tx.all("SELECT item_id, category, available FROM recommend_out.items_v1 ORDER BY item_id")
    assert {row["item_id"]: row["available"] for row in rows} == {
        "biluochun": True, "cup": False, "longjing": True, "pot": True, "puer": True, "scale": False,
    }  # fmt: skip
    assert next(row["category"] for row in rows if row["item_id"] == "puer") == "Tea > Dark"
