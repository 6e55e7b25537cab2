"""The head made of descriptions, against cosines computed by numpy."""

import numpy as np
import pytest
import torch

from tutelage.fit.described import SCALE, described_head, described_source


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("length", [1.0, 7.0])
def test_logits_are_centred_cosines(length):
    rng = np.random.default_rng(0)
    sentences, pool, which = unit(rng.normal(size=(5, 8))), unit(rng.normal(size=(30, 8))), [0, 1, 1, 2, 0]
    vectors = unit(np.stack([sentences[np.array(which) == k].mean(0) for k in range(3)]))
    cosine = pool @ vectors.T
    expected = SCALE * (cosine - cosine.mean(0))
    head = described_head(torch.tensor(sentences), which, torch.tensor(pool * length))
    found = head(torch.tensor(pool * length, dtype=torch.float32)).detach().numpy()
    assert np.allclose(found, expected, atol=1e-5)


def test_descriptions_as_a_source_beside_others():
    rng = np.random.default_rng(2)
    labelled, pool, sentences = (torch.tensor(rng.normal(size=(n, 4))) for n in (3, 7, 2))
    head = described_head(sentences, [0, 1], pool)
    source = described_source(head, labelled.float(), pool.float())
    expected = head(torch.cat([labelled, pool]).float()).double().softmax(1).detach().numpy()
    np.testing.assert_array_equal(source.table, expected)
    assert source.covered.all() and len(source) == 10


def test_a_class_without_a_sentence_and_an_empty_pool_are_refused():
    with pytest.raises(ValueError, match="1 has no sentence"):
        described_head(torch.eye(2), [0, 2], torch.eye(2))
    with pytest.raises(ValueError, match="at least one row"):
        described_head(torch.eye(2), [0, 1], torch.empty(0, 2))
