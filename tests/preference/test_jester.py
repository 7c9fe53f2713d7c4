import numpy as np
import pandas as pd
import pytest

from graphlab.errors import ArgumentError, DatasetError
from graphlab.preference import Jester5k


@pytest.fixture(scope="module")
def jester(data_root):
    if not (data_root / "preferences" / "jester5k").is_dir():
        pytest.skip("preferences/jester5k is not in GRAPHLAB_DATA")
    return Jester5k(data_root)


@pytest.mark.real_data
def test_the_data_is_what_its_card_says(jester):
    rated = ~np.isnan(jester.ratings)
    assert rated.sum() == 363_209 and rated.sum(1).min() == 36
    assert jester.texts["response"].tolist() == list(range(100))
    assert len(jester.pairs) == 4950 and 0.47 < jester.controversial.mean() < 0.49


@pytest.mark.real_data
def test_winners_have_the_higher_rating(jester):
    split = jester.split(200, 50, num_test=20)
    tables = [split.context, split.val, split.test, split.adapt, split.unseen_test]
    for table in tables:
        ratings = jester.ratings
        better = ratings[table["user"], table["winner"]]
        assert (better > ratings[table["user"], table["loser"]]).all()
    table = pd.concat(tables)
    low, high = (
        table[["winner", "loser"]].min(axis=1),
        table[["winner", "loser"]].max(axis=1),
    )
    assert (
        not table.assign(low=low, high=high).duplicated(["user", "low", "high"]).any()
    )
    assert not set(split.users) & set(split.unseen_users)
    assert len(split.context) == 1400 and len(split.adapt) == 400


@pytest.mark.real_data
def test_controversial_pairs_split_the_people(jester):
    table = jester.split(50, 0).test
    for row in table.head(20).itertuples():
        difference = jester.ratings[:, row.winner] - jester.ratings[:, row.loser]
        share = (difference > 0).sum() / ((difference > 0) | (difference < 0)).sum()
        assert (abs(share - 0.5) <= 0.1) == row.controversial


@pytest.mark.real_data
def test_item_disjoint_tests(jester):
    split = jester.split(100, 20, 8, 40, item_disjoint=True)
    given = pd.concat([split.context, split.val, split.adapt])
    tested = pd.concat([split.test, split.unseen_test])

    def items(table):
        long = pd.concat(
            [
                table[["user", c]].set_axis(["user", "item"], axis=1)
                for c in ("winner", "loser")
            ]
        )
        return set(map(tuple, long.to_numpy()))

    assert not items(given) & items(tested)


@pytest.mark.real_data
def test_new_jokes(jester):
    split = jester.split(100, 20, new_items=20, num_new=5)
    assert len(split.responses) == 80
    for name, table in vars(split).items():
        if isinstance(table, pd.DataFrame) and "winner" in table:
            known = table[["winner", "loser"]].isin(list(split.responses))
            assert (
                known.all(axis=None) if "new" not in name else not known.any(axis=None)
            )
    assert len(split.new_test) == 500 and len(split.unseen_new_test) == 100


@pytest.mark.real_data
def test_everybody_but_two(jester):
    split = jester.split()
    assert len(split.users) == 4000 and len(split.unseen_users) == 998
    pd.testing.assert_frame_equal(split.context, jester.split().context)
    assert not split.context.equals(jester.split(seed=1).context)
    with pytest.raises(ArgumentError, match="must be at most 4,998 together"):
        jester.split(4000, 999)


def test_absent_and_wrong_files(tmp_path, monkeypatch):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    with pytest.raises(DatasetError, match="give data_root or set GRAPHLAB_DATA"):
        Jester5k()
    with pytest.raises(DatasetError, match="is not there\nit holds ratings.parquet"):
        Jester5k(tmp_path)
    folder = tmp_path / "preferences" / "jester5k"
    folder.mkdir(parents=True)
    with pytest.raises(DatasetError, match="ratings.parquet is not there"):
        Jester5k(tmp_path)
    (folder / "ratings.parquet").write_bytes(b"PAR1")
    with pytest.raises(
        DatasetError, match="corrupt or another version\nexpected sha256"
    ):
        Jester5k(tmp_path)
