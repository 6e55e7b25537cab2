"""Image models of transformers as encoders: small ones with random weights, saved as the Hub holds them."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from tutelage import Classifier, load, weights
from tutelage.files import BadFileError
from tutelage.modalities import precision
from tutelage.modalities.base import features
from tutelage.modalities.images import vision
from tutelage.modalities.images.backbone import Backbone, BackboneClassifier
from tutelage.modalities.images.reader import ImageReader
from tutelage.modalities.images.vision import VisionEncoder, load_image_encoder, own_size

SHAPE = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "image_size": 32,
    "patch_size": 8,
}  # fmt: skip
WORDS = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 64,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
PIXELS = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4], "size": {"height": 32, "width": 32}}


def made(kind: str) -> nn.Module:
    """A small model of a kind, with random weights."""
    import transformers as t

    rest = {k: v for k, v in SHAPE.items() if k != "intermediate_size"}
    stages = {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        makers = {
            "vit": lambda: t.ViTModel(t.ViTConfig(**SHAPE)),
            "classifier": lambda: t.ViTForImageClassification(t.ViTConfig(**SHAPE, num_labels=3)),
            "dinov2": lambda: t.Dinov2Model(t.Dinov2Config(**rest, mlp_ratio=2)),
            "clip": lambda: t.CLIPModel(t.CLIPConfig(text_config=WORDS, vision_config=SHAPE, projection_dim=16)),
            "siglip": lambda: t.SiglipModel(
                t.SiglipConfig(text_config=WORDS | {"projection_size": 32}, vision_config=SHAPE)
            ),
            "beit": lambda: t.BeitModel(t.BeitConfig(**SHAPE)),
            "convnext": lambda: t.ConvNextModel(t.ConvNextConfig(**stages)),
            "resnet": lambda: t.ResNetModel(t.ResNetConfig(embedding_size=8, **stages)),
            "bert": lambda: t.BertModel(t.BertConfig(**WORDS)),
        }
        return makers[kind]().eval()


KINDS = ("vit", "classifier", "dinov2", "clip", "siglip", "beit", "convnext", "resnet")
IMAGES = ("vit", "dinov2", "clip", "siglip")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders of models with the settings of their image processors, made once each."""
    folders = {}

    def of(kind: str):
        if kind not in folders:
            folder = tmp_path_factory.mktemp(kind)
            made(kind).save_pretrained(folder)
            (folder / "preprocessor_config.json").write_text(json.dumps(PIXELS))
            folders[kind] = folder
        return folders[kind]

    return of


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def scaled(x: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(PIXELS[name]).view(3, 1, 1) for name in ("image_mean", "image_std"))
    return (x - mean) / std


POOLINGS = {
    "vit": ("class", lambda m, x: m(pixel_values=x).last_hidden_state[:, 0]),
    "classifier": ("class", lambda m, x: m.vit(pixel_values=x).last_hidden_state[:, 0]),
    "dinov2": ("class", lambda m, x: m(pixel_values=x).pooler_output),
    "clip": ("pooler", lambda m, x: m.vision_model(pixel_values=x).pooler_output),
    "siglip": ("pooler", lambda m, x: m.vision_model(pixel_values=x).pooler_output),
    "beit": ("pooler", lambda m, x: m.pooler.layernorm(m(pixel_values=x).last_hidden_state[:, 1:].mean(1))),
    "convnext": ("map", lambda m, x: m.layernorm(m(pixel_values=x).last_hidden_state.mean((2, 3)))),
    "resnet": ("map", lambda m, x: m(pixel_values=x).last_hidden_state.mean((2, 3))),
}
"""How features are made, and the same by the whole model itself, by kind of model."""


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_the_model_itself(saved, kind):
    encoder, x = load_image_encoder(str(saved(kind))), images(3, 3, 32, 32)
    pooling, expected = POOLINGS[kind]
    with torch.inference_mode():
        assert encoder.pooling == pooling
        torch.testing.assert_close(encoder(x), expected(made(kind), scaled(x)), rtol=1e-5, atol=1e-5)
        assert encoder(x).shape == (3, encoder.width) == (3, 32)
        assert encoder(images(2, 3, 50, 70)).shape == (2, 32)  # resized to the encoder's own square
    assert not encoder.training


def test_a_transformer_without_a_class_token_gives_the_mean_of_its_patches(saved, tmp_path):
    import transformers as t

    config = t.SiglipVisionConfig(**SHAPE, vision_use_head=False)
    encoder = VisionEncoder("own", t.SiglipVisionModel(config).eval(), 32)
    x = images(2, 3, 32, 32)
    with torch.inference_mode():
        hidden = encoder.net(pixel_values=2 * x - 1).last_hidden_state
        assert encoder.pooling == "mean"
        torch.testing.assert_close(encoder(x), hidden.mean(1))


@pytest.mark.parametrize("kind", IMAGES)
def test_another_size_of_whole_patches_is_read_and_one_of_none_is_refused(saved, kind):
    encoder = load_image_encoder(str(saved(kind)), 48)
    with torch.inference_mode():
        assert encoder(images(2, 3, 48, 48)).isfinite().all()
    with pytest.raises(ValueError, match=r"size of .* must be a multiple of its patches of 8 pixels, got 50"):
        load_image_encoder(str(saved(kind)), 50)


def test_weights_are_the_same_each_time_also_where_the_checkpoint_lacks_a_pooler(saved):
    first, second = (ImageReader(load_image_encoder(str(saved("classifier")))) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert not [name for name in first.backbone.state_dict() if "pooler" in name]
    assert ImageReader(load_image_encoder(str(saved("classifier")), 48)).fingerprint != first.fingerprint


def write(saved, tmp_path, settings: object, name: str = "preprocessor_config.json") -> str:
    for file in saved("vit").iterdir():
        if file.name != "preprocessor_config.json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    if settings is not None:
        (tmp_path / name).write_text(settings if isinstance(settings, str) else json.dumps(settings))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("settings", "mean", "std", "size"),
    [
        (PIXELS, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), 32),
        (PIXELS | {"size": 48}, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), 48),
        (
            PIXELS | {"size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": {"height": 24, "width": 24}},
            (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), 24,
        ),
        (PIXELS | {"rescale_factor": 2 / 255}, (0.25, 0.2, 0.15), (0.1, 0.15, 0.2), 32),  # values up to 2
        (PIXELS | {"do_normalize": False}, (0, 0, 0), (1, 1, 1), 32),
        ({"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}, (0, 0, 0), (1, 1, 1), 32),  # the configuration's size
    ],
)  # fmt: skip
def test_the_image_processor_s_settings_are_read(saved, tmp_path, settings, mean, std, size):
    name = write(saved, tmp_path, settings)
    encoder = load_image_encoder(name)
    torch.testing.assert_close(encoder.mean.ravel(), torch.tensor(mean, dtype=torch.float32))
    torch.testing.assert_close(encoder.std.ravel(), torch.tensor(std, dtype=torch.float32))
    assert encoder.shape["size"] == own_size(name) == size


def test_the_settings_that_newer_versions_write_are_read(saved, tmp_path):
    name = write(saved, tmp_path, {"image_processor": PIXELS | {"size": 40}}, "processor_config.json")
    assert own_size(name) == 40


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (None, "preprocessor_config.json is missing, which says how pixels are scaled"),
        ("{", "cannot be read as an image processor's settings"),
        ("[]", "cannot be read as an image processor's settings"),
        (PIXELS | {"image_std": [0.2, 0.0, 0.4]}, "image_std must be three numbers each, the second above 0"),
        (PIXELS | {"image_mean": [0.5]}, "image_mean and image_std must be three numbers each"),
        ({"size": 32}, "cannot be read as an image processor's settings .KeyError: 'image_mean'"),
    ],
)
def test_settings_that_are_missing_or_damaged_are_said(saved, tmp_path, settings, message):
    with pytest.raises(OSError, match=message):
        load_image_encoder(write(saved, tmp_path, settings))


def test_what_is_no_encoder_of_images_is_said(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match="reads no images: it is a model of type bert"):
        load_image_encoder(str(saved("bert")))
    with pytest.raises(OSError, match=r"could not be loaded; give efficientnet-lite0, efficientnet-lite2, a folder"):
        load_image_encoder(str(tmp_path))
    with pytest.raises(ValueError, match=r"got 'minilm', which is for texts"):
        load_image_encoder("minilm")


def test_weights_that_are_missing_are_said(saved, tmp_path):
    from safetensors.torch import load_file, save_file

    name = write(saved, tmp_path, PIXELS)
    kept = {n: t for n, t in load_file(tmp_path / "model.safetensors").items() if "layernorm.weight" not in n}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(OSError, match=r"\d weights are missing, such as .*layernorm.weight"):
        load_image_encoder(name)


@pytest.mark.parametrize("kind", IMAGES)
def test_an_encoder_with_a_head_is_trained_whole(saved, kind):
    net = ImageReader(load_image_encoder(str(saved(kind)))).network(3).train()
    (net(images(4, 3, 32, 32)) * images(4, 3)).sum().backward()
    reached = [p.grad is not None and p.grad.abs().max() > 0 for p in net.backbone.parameters()]
    assert sum(reached) >= 0.8 * len(reached)
    assert isinstance(net, BackboneClassifier)


@pytest.mark.parametrize("finetune", [False, True])
@pytest.mark.parametrize("kind", IMAGES)
def test_a_classifier_on_any_encoder_is_the_same_after_loading(saved, squares, tmp_path, kind, finetune):
    drawn, new = squares(16, 1), squares(6, 2)
    y = [["red", "blue"][k] if i < 10 else None for i, k in enumerate(drawn.y)]
    options = {"steps": 4, "evidence": False, "cache": tmp_path / "cache"}
    model = Classifier("drift", encoder=str(saved(kind)), finetune=finetune, **options).fit(drawn.pixels, y)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.reader.says == str(saved(kind))
    np.testing.assert_array_equal(again.probabilities(new.pixels), model.predict_proba(new.pixels))
    assert (tmp_path / "model" / "model" / "encoder" / "config.json").exists() == finetune


def test_a_frozen_encoder_that_has_changed_since_is_refused(saved, squares, tmp_path):
    from safetensors.torch import load_file, save_file

    drawn, folder = squares(12, 1), tmp_path / "encoder"
    folder.mkdir()
    for file in saved("vit").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    y = [["red", "blue"][k] for k in drawn.y]
    model = Classifier("supervised", encoder=str(folder), steps=4, evidence=False, cache=tmp_path / "cache")
    model.fit(drawn.pixels, y).save(tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    save_file({n: t + 1e-3 for n, t in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadFileError, match=r"the encoder .* is not the one this model was trained with"):
        load(tmp_path / "model")


def test_a_run_of_the_command_line_with_a_vision_transformer(saved, squares, run, tmp_path, png):
    import pandas as pd

    drawn = squares(24, 1)
    table = pd.DataFrame({"image": [*map(png, drawn.pixels)], "label": [["red", "blue"][k] for k in drawn.y]})
    table.assign(label=table.label.where(table.index < 16, "")).to_parquet(tmp_path / "a.parquet")
    code, said = run(
        "fit", "supervised", "--train", tmp_path / "a.parquet", "--images", "image", "--label", "label", "--encoder",
        saved("dinov2"), "--out", tmp_path / "out", "--steps", 4, "--folds", 2, "--repeats", 1,
    )  # fmt: skip
    assert code == 0, said
    assert f"Reading with {saved('dinov2')}" in said
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["encoder"] == str(saved("dinov2"))


def test_large_image_encoders_use_the_probe(saved, squares, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "LARGE", 0)
    reader, drawn, found = ImageReader(load_image_encoder(str(saved("vit")))), squares(4, 1), []
    for gain in (1.0, 2.0):
        monkeypatch.setattr(precision, "gain", lambda device, gain=gain: gain)
        found.append(features(reader, list(drawn.pixels), tmp_path).rows)
    assert {folder.name for folder in tmp_path.iterdir()} == {reader.fingerprint, f"{reader.fingerprint}-bfloat16"}
    assert torch.nn.functional.cosine_similarity(*found).min() > 0.999


def test_the_second_lite_is_read_from_its_file_once_it_is_here(tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite_pytorch")
    with pytest.raises(OSError, match=r"'efficientnet-lite2' is not here yet: tutelage models get efficientnet-lite2"):
        load_image_encoder("efficientnet-lite2")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        random = Backbone(32, "efficientnet-lite2").eval()
    (file,) = weights.CATALOGUE["efficientnet-lite2"].files
    head = {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    torch.save(random.net.state_dict() | head, tmp_path / file)
    monkeypatch.setattr(weights, "path_of", lambda name: tmp_path)
    encoder, x = load_image_encoder("efficientnet-lite2", 32), images(2, 3, 32, 32)
    assert (encoder.name, encoder.width, encoder.shape["size"]) == ("efficientnet-lite2", 1280, 32)
    with torch.inference_mode():
        assert torch.equal(encoder(x), random(x))
    assert load_image_encoder("efficientnet-lite2").shape["size"] == 128


def test_loading_says_nothing_and_warns_of_nothing(saved, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_image_encoder(str(saved("clip")))
    assert capfd.readouterr() == ("", "")


def test_an_encoder_that_hides_patches_is_refused(tmp_path):
    import transformers as t

    t.ViTMAEConfig(**SHAPE).save_pretrained(tmp_path)
    with pytest.raises(OSError, match="hides patches at random"):
        vision.own_size(str(tmp_path))
