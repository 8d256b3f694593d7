from types import SimpleNamespace

import pytest
import torch

from selftalk.models.training.tokenizer_task import pair_loss, paired, partners_of


def test_partners_are_mutual_and_only_of_whole_pairs():
    examples = [SimpleNamespace(pair=number) for number in (-1, 4, 7, 4, -1)]
    assert partners_of(examples) == {1: 3, 3: 1}


def test_only_rows_with_their_partner_count():
    together = paired({1: 3}, [(1, 0), (2, 5), (3, 0), (0, 9)])
    assert together.tolist() == [True, False]
    heard = torch.tensor([[[1.0]], [[5.0]], [[1.5]], [[9.0]]])
    assert pair_loss(heard, together).item() == pytest.approx(0.5)
    assert pair_loss(heard, torch.tensor([False, False])).item() == 0
