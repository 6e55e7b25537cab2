import dataclasses

import numpy as np
import pytest
import torch

from tutelage.adapting.how import Adapting
from tutelage.adapting.mlm import MaskedTokens, TokenGuesser
from tutelage.adapting.run import Parts, adapted
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.sentences.reader import WordReader
from tutelage.modalities.text.reader import TextReader
from tutelage.tasks import Classification
from tutelage.train import train

ITEMS = [f"the {a} was near the {b} today" for a in ("soup", "goal", "cake") for b in ("team", "salad", "coach")]
HOW = Adapting.of("mlm", steps=8, lr=3e-3, batch=9, fast=False)


@pytest.fixture
def reader(encoder_folder):
    return TextReader(load_encoder(str(encoder_folder), 16))


def loss_of(parts, rate: float) -> tuple[torch.Tensor, torch.nn.Module]:
    network = parts.network(0).eval()
    method = dataclasses.replace(parts.method, rate=rate)
    batch = parts.loader.batch(0, 0.0)
    torch.manual_seed(1)
    return method.loss("student", batch, {"student": Player(network)}, Classification(2), Memory(0)).total, network


def test_a_rate_of_0_has_no_loss_and_no_gradient(reader):
    loss, network = loss_of(Parts.of(reader, ITEMS, None, None, HOW, 0), 0.0)
    assert loss.item() == 0
    grads = torch.autograd.grad(loss, [p for p in network.parameters() if p.requires_grad], materialize_grads=True,
                                allow_unused=True)  # fmt: skip
    assert not any(g.any() for g in grads)


def test_the_loss_is_the_mean_over_the_chosen_tokens(reader):
    parts = Parts.of(reader, ITEMS, None, None, HOW, 0)
    loss, network = loss_of(parts, 0.5)
    torch.manual_seed(1)
    inputs = parts.loader.batch(0, 0.0).unlabelled["weak"]
    ids = inputs["input_ids"]
    vocabulary = len(reader.encoder.tokenizer)
    hidden, chosen = dataclasses.replace(parts.method, rate=0.5).hide(ids, inputs["attention_mask"], vocabulary)
    with torch.no_grad():
        states = network.units.encoder(input_ids=hidden, attention_mask=inputs["attention_mask"]).last_hidden_state
        rows = states[chosen].numpy()
    rows = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 1e-5)
    logits = rows @ network.units.encoder.get_input_embeddings().weight.detach().numpy().T
    right = logits[np.arange(len(logits)), ids[chosen].numpy()]
    assert loss.item() == pytest.approx((np.log(np.exp(logits).sum(1)) - right).mean(), rel=1e-5)


def test_the_chosen_are_replaced_in_the_papers_shares():
    ids = torch.randint(5, 1000, (400, 100), generator=torch.Generator().manual_seed(0))
    ids[:, 0], ids[:, -1] = 2, 3
    attention = torch.ones_like(ids)
    attention[:, -20:] = 0
    torch.manual_seed(0)
    hidden, chosen = MaskedTokens(mask=4, special=(0, 2, 3, 4)).hide(ids, attention, 1000)
    assert not chosen[:, 0].any()
    assert not chosen[:, -20:].any()
    assert torch.equal(hidden[~chosen], ids[~chosen])
    assert chosen[:, 1:-20].float().mean().item() == pytest.approx(0.15, abs=0.01)
    assert (hidden[chosen] == 4).float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert (hidden[chosen] == ids[chosen]).float().mean().item() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("make", [TextReader, WordReader])
def test_texts_and_sentences_alone_train_the_encoder(make, reader):
    items = ITEMS if make is TextReader else [t.split() for t in ITEMS]
    of = make(reader.encoder)
    after = adapted(of, items, None, None, HOW)
    assert after.encoder.fingerprint != reader.encoder.fingerprint
    assert after.encoder.adapted == "mlm, 8 steps"
    before, now = reader.encoder.model.state_dict(), after.encoder.model.state_dict()
    moved = {n for n in before if not torch.equal(before[n], now[n])}
    assert moved
    assert all(".layer." in n for n in moved)


def test_guessing_gets_better(reader):
    parts = Parts.of(reader, ITEMS, None, None, dataclasses.replace(HOW, steps=60, lr=2e-2), 0)

    history = train(parts.method, parts.task, parts.network, parts.loader, parts.training).history
    losses = [h["loss.masked"] for h in history]
    assert np.mean(losses[-5:]) < 0.95 * np.mean(losses[:5])


def test_a_tokenizer_without_a_mask_is_refused(reader):
    reader.encoder.tokenizer.mask_token = None
    with pytest.raises(ValueError, match="mlm needs a mask token"):
        adapted(reader, ITEMS, None, None, HOW)


def test_the_guesser_begins_as_the_identity(reader):
    guesser = TokenGuesser(reader.units())
    assert torch.equal(guesser.dense.weight, torch.eye(16))
    assert not guesser.bias.any()
