"""`zhike evaluate recommend` on files of every form, good and bad."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from deploy.evaluate import interactions
from deploy.evaluate.command import evaluate
from deploy.evaluate.interactions import DataError


def run(*arguments):
    return CliRunner().invoke(evaluate, ["recommend", *map(str, arguments)])


@pytest.fixture
def baskets(tmp_path):
    """Forty people who buy their own three things again and again."""
    draw = np.random.default_rng(2)
    people = {
        f"customer {n}": [sorted({*draw.choice(3, 2), 0} | {int(draw.integers(3, 12))}) for _ in range(5)]
        for n in range(40)
    }
    people = {
        who: [[(item + 3 * number) % 30 if item < 3 else item for item in map(int, visit)] for visit in visits]
        for number, (who, visits) in enumerate(people.items())
    }
    file = tmp_path / "baskets.json"
    file.write_text(json.dumps(people))
    return file


def test_of_baskets_the_last_is_foretold_and_the_figures_are_json(baskets):
    answer = run("--baskets", baskets, "--repeats", "--json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.output)
    assert found["people"] == 40
    assert {"popular", "frequency", "tifu", "blend"} <= found["models"].keys()
    assert found["models"]["frequency"]["recall@10"] > found["models"]["popular"]["recall@10"]
    assert {"recall@10", "recall@20", "ndcg@10", "ndcg@20", "hr@10", "ndcg@10_±"} <= found["models"]["blend"].keys()


def test_lightgcns_files_are_read_as_they_are(tmp_path):
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text("0 5 7 7\n1 7\n\n2\n3 9 5\n")
    test.write_text("0 9 5\n4 7\n")
    data = interactions.lightgcn(train, test)
    assert (data.log.person_count, data.log.item_count, len(data.log)) == (4, 3, 5)
    assert not data.log.ordered
    # 5 was in train already, so it is not asked; somebody new is
    assert len(data.test.wanted) == 2


def test_of_ratings_the_last_in_time_is_held_out(tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text(
        "who;what;at;stars\nmei;cup;2026-03-01;5\nmei;tea;2026-01-01;4\nmei;pot;2026-02-01;1\nli;tea;2026-01-05;3\n"
    )
    data = interactions.ratings(file, "who", "what", "at")
    assert data.log.items.tolist() == [2, 2, 1]  # li's tea, then mei's tea and pot
    assert data.test.wanted.tolist() == [0]
    liked = interactions.ratings(file, "who", "what", "at", "stars", 3)
    assert len(liked.log) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "no line"), ("7\n8\n", "no line")],
)
def test_a_file_without_pairs_is_refused_in_words(tmp_path, text, told):
    file = tmp_path / "train.txt"
    file.write_text(text)
    with pytest.raises(DataError, match=told):
        interactions.lightgcn(file, file)


@pytest.mark.parametrize("text", ["[1, 2]", "{", '{"mei": [1, 2]}', '{"mei": [[{}]]}', "{}", '{"mei": [[1]]}'])
def test_baskets_of_another_shape_are_refused_in_words(tmp_path, text):
    file = tmp_path / "baskets.json"
    file.write_text(text)
    answer = run("--baskets", file)
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: ")
    assert "Traceback" not in answer.output


def test_ids_are_what_is_written_also_after_ten_thousand_that_look_like_numbers(tmp_path):
    rows = [f"00{n % 50},{n},{n}" for n in range(12_000)] + ["0,B00X,20000", "7,B00X,1", "7,007,2", "7,7,3"]
    file = tmp_path / "ratings.csv"
    file.write_bytes(("user,item,time\r\n" + "\r\n".join(rows) + "\r\n").encode())
    data = interactions.ratings(file, "user", "item", "time")
    assert (data.log.person_count, data.log.item_count, data.unread) == (52, 12_002, 0)


def test_rows_that_cannot_be_read_are_left_out_and_counted(tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text("user,item,time\nmei,tea,1\nmei,cup,2\n,cup,3\nli,,3\nli,tea,soon\n\nli,tea,4\nli,cup,5\n")
    assert interactions.ratings(file, "user", "item", "time").unread == 3
    people = "".join(f"u{n},i{(n + k) % 9},{k}\n" for n in range(30) for k in range(4))
    file.write_text(f"user,item,time\n{people}u1,i2,\n")
    answer = run("--ratings", file)
    assert answer.exit_code == 0, answer.output
    assert "1 rows have no user, item or time" in answer.output


def test_a_missing_column_is_named_with_those_there_are(tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text("userId,movieId\n1,2\n")
    answer = run("--ratings", file, "--user", "userId", "--item", "movieId", "--time", "timestamp")
    assert answer.exit_code == 1
    assert "no column timestamp; it has userId, movieId" in answer.output


def test_one_kind_of_data_is_wanted(baskets):
    assert run().exit_code == 2
    assert run("--baskets", baskets, "--ratings", baskets).exit_code == 2
