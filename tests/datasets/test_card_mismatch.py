import pytest

from graphlab.datasets import load_dataset
from graphlab.errors import DatasetError


def test_a_graph_of_another_size_than_its_card_is_refused(tiny_root):
    with pytest.raises(DatasetError, match="not the expected version") as error:
        load_dataset("chameleon-filtered", tiny_root)
    assert "nodes 10 (card: 890)" in str(error.value)
    assert "features 4 (card: 2,325)" in str(error.value)
