"""Image encoders of the transformers library: ViT, DINOv2, the image towers of CLIP and SigLIP, and others like them.

The library's own image processors need torchvision, so that the few numbers of ``preprocessor_config.json`` are read
here: mean and standard deviation of the channels, and the side of the square.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from tutelage import weights
from tutelage.data.quiet import quietly
from tutelage.files import naming
from tutelage.files.errors import why
from tutelage.modalities.architecture import blank_model
from tutelage.modalities.images.backbone import LITE, Backbone, ImageEncoder, load_backbone
from tutelage.modalities.images.networks import require_at_least

POOLED = ("clip_vision_model", "siglip_vision_model", "beit")
"""Types of models whose own pooler was trained, and comes with the weights."""
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
"""Files that say how pixels are scaled; newer versions of transformers write the second."""

Pooling = Literal["pooler", "map", "class", "mean"]
"""How an image's features are made of a model's output, see `VisionEncoder`."""


@dataclass(frozen=True)
class Pixels:
    """How a model wants its images.

    Attributes:
        mean, std: mean and standard deviation of each channel, of values in [0, 1].
        size: side of the square, in pixels; None where the file names none.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int | None


class VisionEncoder(ImageEncoder):
    """An image model of transformers: pooled features of images of any size, (b, 3, h, w) to (b, width).

    The features are, by the model's type:
    - "pooler": the model's own pooler where it was trained, as in CLIP (the class token after the last norm), SigLIP
      (pooling by attention; it has no class token) and BEiT (the mean of the patches, normalised);
    - "map": the mean over the places of a convolutional network's last map, as the network pools it itself;
    - "class": the class token of the last layer, as of ViT and DINOv2. ViT's pooler, a dense layer behind it, is left
      out: in many checkpoints it is missing, and its weights would be random;
    - "mean": the mean of the patches, of a transformer without a class token.

    Args:
        name: name that the user gave.
        model: image model of transformers.
        size: side of the square that images are resized to, in pixels: a multiple of the model's patches.
        mean, std: mean and standard deviation of each channel.

    Attributes:
        pooling: how the features are made.

    Raises:
        ValueError: the size is no multiple of the patches, or the model cannot read images of it.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        size: int,
        mean: tuple[float, ...] = (0.5, 0.5, 0.5),
        std: tuple[float, ...] = (0.5, 0.5, 0.5),
    ) -> None:
        require_at_least(size=(size, 8))
        super().__init__({"size": size}, least=1)
        self.mean.copy_(torch.tensor(mean).view(3, 1, 1))
        self.std.copy_(torch.tensor(std).view(3, 1, 1))
        self.name, self.net = name, model
        _check_patches(name, model.config, size)
        able = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        other = size != getattr(model.config, "image_size", size)
        self.more = {"interpolate_pos_encoding": True} if able and other else {}
        self.pooling = self._pooling()
        if self.pooling in ("class", "mean") and getattr(model, "pooler", None) is not None:
            model.pooler = None
        self.width = self._try().shape[1]

    def pooled(self, x: Tensor) -> Tensor:
        return self._pool(self.net(pixel_values=x, **self.more))

    @property
    def config(self) -> Any:
        return self.net.config

    def save_architecture(self, folder: Path) -> None:
        with naming(folder):
            self.net.config.save_pretrained(folder)

    def _pool(self, out: Any) -> Tensor:
        if self.pooling == "pooler":
            return torch.as_tensor(out.pooler_output)
        hidden: Tensor = out.last_hidden_state
        if self.pooling == "map":
            own = out.get("pooler_output")
            return hidden.mean((2, 3)) if own is None else torch.as_tensor(own).flatten(1)
        return hidden[:, 0] if self.pooling == "class" else hidden.mean(1)

    def _pooling(self) -> Pooling:
        out = self._output()
        if self.net.config.model_type in POOLED and out.get("pooler_output") is not None:
            return "pooler"
        if out.last_hidden_state.ndim == 4:
            return "map"
        classes = ("cls_token", "class_embedding")
        return "class" if any(n.endswith(classes) for n, _ in self.net.named_parameters()) else "mean"

    @torch.no_grad()
    def _output(self) -> Any:
        """What the model says of a grey image, in evaluation mode."""
        side, training = self.shape["size"], self.net.training
        try:
            return self.net.eval()(pixel_values=torch.zeros(1, 3, side, side), **self.more)
        except (RuntimeError, ValueError) as e:
            raise ValueError(f"encoder {self.name!r} cannot read images of {side} x {side} pixels ({why(e)})") from e
        finally:
            self.net.train(training)

    def _try(self) -> Tensor:
        return self._pool(self._output())


def load_image_encoder(name: str, size: int | None = None) -> ImageEncoder:
    """Encoder of images with its weights, in evaluation mode.

    Args:
        name: "efficientnet-lite0" or "efficientnet-lite2", a folder of an image model saved by transformers with its
            image processor, or the name of one on the Hub.
        size: side of the square that images are resized to, in pixels; None takes the encoder's own.

    Raises:
        ImportError: the packages of the extra "images" are missing.
        OSError: there is no such encoder, it reads no images, or its weights are not here or incomplete.
        ValueError: the encoder cannot read images of that size.
    """
    if name in LITE:
        return load_backbone(size or 128, name)
    require_for_images(name)
    from transformers import AutoModel

    config, pixels = _about(name)
    try:
        with quietly():
            model, found = AutoModel.from_pretrained(
                name, config=config, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
            )
    except Exception as e:  # the library raises many kinds
        raise _not_loaded(name, e) from e
    encoder = VisionEncoder(name, model, size or _own_size(name, config, pixels), pixels.mean, pixels.std)
    random = sorted(set(found["missing_keys"]) & set(encoder.net.state_dict()))
    if random:
        raise OSError(f"encoder {name!r}: {len(random)} weights are missing, such as {random[0]}")
    return encoder.eval()


def blank_image_encoder(name: str, size: int, folder: Path) -> ImageEncoder:
    """Encoder of a saved model with random weights, into which the saved ones are then loaded. No code is run.

    Args:
        name: name of the encoder.
        size: side of the square, in pixels.
        folder: folder that `ImageEncoder.save_architecture` wrote.

    Raises:
        BadFileError, ValueError: the saved architecture cannot be read, or is not that of the model.
    """
    if name in LITE:
        return Backbone(size, name)
    return VisionEncoder(name, blank_model(folder), size).eval()


def own_size(name: str) -> int:
    """Side of the square, in pixels, of the images that an encoder of transformers was trained with.

    Args:
        name: folder, or name on the Hub.

    Raises:
        OSError: there is no such encoder, or it reads no images.
    """
    require_for_images(name)
    config, pixels = _about(name)
    return _own_size(name, config, pixels)


def require_for_images(name: str) -> None:
    """Check that a name is not that of weights for something else.

    Raises:
        ValueError: it is.
    """
    if name in weights.CATALOGUE and name not in LITE:
        what = weights.CATALOGUE[name].what
        raise ValueError(
            f"encoder must be {' or '.join(LITE)}, or a folder or a name on the Hub of an image model; "
            f"got {name!r}, which is for {what}"
        )


def _own_size(name: str, config: Any, pixels: Pixels) -> int:
    size = pixels.size or getattr(config, "image_size", None)
    if not isinstance(size, int):
        raise OSError(f"encoder {name!r} does not say the size of its images; give --size H W, a square")
    return size


def _check_patches(name: str, config: Any, size: int) -> None:
    patch = getattr(config, "patch_size", 1)
    if isinstance(patch, int) and size % patch:
        raise ValueError(f"size of {name} must be a multiple of its patches of {patch} pixels, got {size}")


def _about(name: str) -> tuple[Any, Pixels]:
    """Configuration of the image model, that of the image tower where there is one for text beside it; and pixels."""
    from transformers import AutoConfig

    try:
        with quietly():
            config = AutoConfig.from_pretrained(name, trust_remote_code=False)
    except Exception as e:  # the library raises many kinds
        raise _not_loaded(name, e) from e
    config = getattr(config, "vision_config", config)
    if not (hasattr(config, "num_channels") or hasattr(config, "image_size")):
        raise OSError(f"encoder {name!r} reads no images: it is a model of type {config.model_type}")
    if getattr(config, "mask_ratio", 0):
        raise OSError(f"encoder {name!r} hides patches at random ({config.model_type}), so its features are not fixed")
    return config, _pixels(name)


def _pixels(name: str) -> Pixels:
    """Mean, standard deviation and size of a model's image processor.

    Raises:
        OSError: no file says them, or it is damaged.
    """
    file = next(filter(None, (_file(name, called) for called in PROCESSORS)), None)
    if file is None:
        raise OSError(f"encoder {name!r}: {PROCESSORS[0]} is missing, which says how pixels are scaled")
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        about = about.get("image_processor", about)
        scale = 255 * float(about.get("rescale_factor", 1 / 255)) if about.get("do_rescale", True) else 255.0
        plain = not about.get("do_normalize", True)
        mean, std = ([0.0] * 3, [1.0] * 3) if plain else (about["image_mean"], about["image_std"])
        mean, std = (tuple(float(v) / scale for v in values) for values in (mean, std))
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError("image_mean and image_std must be three numbers each, the second above 0")
        size = about.get("crop_size") if about.get("do_center_crop") and about.get("crop_size") else about.get("size")
        return Pixels(mean, std, _side(size))
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        raise OSError(f"{file}: cannot be read as an image processor's settings ({type(e).__name__}: {e})") from e


def _side(size: Any) -> int | None:
    """Side of the square that a processor's size stands for: a number, or height and width, or the shorter edge."""
    if isinstance(size, dict):
        size = size.get("height", size.get("shortest_edge"))
    return int(size) if size else None


def _file(name: str, called: str) -> Path | None:
    """A file of a folder, or of a name on the Hub; None where there is none."""
    if Path(name).is_dir():
        return Path(name, called) if Path(name, called).is_file() else None
    from transformers.utils import cached_file

    try:
        found = cached_file(name, called)
    except OSError:
        return None
    return Path(found) if found else None


def _not_loaded(name: str, error: Exception) -> OSError:
    known = f"{', '.join(LITE)}, a folder with a saved image model, or a name on the Hub"
    return OSError(f"encoder {name!r} could not be loaded; give {known}. ({error})")
