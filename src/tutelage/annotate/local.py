"""A chat model on this machine, by transformers: the probability of each class, and nothing else is written."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tutelage import weights
from tutelage.annotate.chat import ChatError, Reply, Request
from tutelage.data import hub
from tutelage.data.nearest import did_you_mean
from tutelage.data.quiet import quietly
from tutelage.data.sources import cache_folder
from tutelage.ops.bfloat16 import multiplies_bfloat16

NAMES = tuple(name for name, entry in weights.CATALOGUE.items() if entry.what == "language model")
"""Names of the language models in the catalogue of weights."""

ROW = "\ue000row\ue001"
"""Characters of private use that stand for the text while the chat template is filled in."""

Tree = dict[int, Any]
"""Tokens of the classes' names as a tree: below each token the tokens that may follow; a name ends at a number."""


@dataclass(eq=False)
class Local:
    """A chat model on this machine.

    It may write the name of a class and nothing else (constrained choice). A class's probability is the product of
    those of its tokens, each among the tokens that may stand there: one pass tells it where the names begin with
    different tokens. The part of the messages that all texts share is computed once. It computes in bfloat16 where the
    machine has instructions for it; replies in float32 are others, and are kept apart.

    Args:
        name: name in the catalogue of weights, such as "smollm2"; folder of a model that transformers saved; a .gguf
            file; or a name on the Hub.

    Raises:
        ChatError: there is no such model, it cannot be loaded, or it has no chat template.
    """

    name: str
    host: str = field(default="", init=False)
    exact: bool = field(default=True, init=False)
    of_words: bool = field(default=True, init=False)
    _network: Any = field(default=None, init=False, repr=False)
    _tokenizer: Any = field(default=None, init=False, repr=False)
    _shared: tuple[tuple[int, ...], Any] = field(default=((), None), init=False, repr=False)

    def __post_init__(self) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        source = _source(self.name)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        precision = torch.bfloat16 if multiplies_bfloat16(device) else torch.float32
        try:
            with quietly():
                self._tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
                self._network = AutoModelForCausalLM.from_pretrained(
                    source, dtype=precision, trust_remote_code=False, use_safetensors=True
                ).eval()
        except MemoryError:
            raise
        except Exception as e:  # the library and its tokenizers raise many kinds
            raise ChatError(f"model {self.name!r} could not be loaded; give {_known()}. ({e})") from e
        self._network.to(device)
        if not getattr(self._tokenizer, "chat_template", None):
            raise ChatError(f"model {self.name!r} has no chat template: it follows no instructions; give {_known()}")

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the weights in their precision, of the tokens and of the chat template, 16 hexadecimal digits."""
        h = hashlib.blake2b(str(self._tokenizer.chat_template).encode(), digest_size=8)
        for token, number in sorted(self._tokenizer.get_vocab().items()):
            h.update(f"{token} {number}\n".encode(errors="replace"))
        for key, t in self._network.state_dict().items():
            h.update(key.encode())
            h.update(t.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        return h.hexdigest()

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {"weights": self.fingerprint}

    def tokens(self, request: Request) -> tuple[int, int]:
        return sum(map(len, self._ids(request))), 0

    def _ids(self, request: Request) -> tuple[list[int], list[int]]:
        """Token ids of what all texts share, and of the rest. No token of the text steers the model.

        Args:
            request: what is asked.
        """
        messages = request.messages
        shared, rest = request.before.partition("-")[0], request.before.partition("-")[1:]
        messages[1]["content"] = f"{shared}{ROW}{''.join(rest)}{ROW}{request.after}"
        try:
            whole = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except Exception as e:  # templates raise of their own, as where they know no system's message
            merged = [{"role": "user", "content": f"{messages[0]['content']}\n\n{messages[1]['content']}"}]
            try:
                whole = self._tokenizer.apply_chat_template(merged, tokenize=False, add_generation_prompt=True)
            except Exception:
                raise ChatError(f"model {self.name!r}: its chat template takes no such messages ({e})") from e
        first, mark, last = whole.split(ROW)
        return self._coded(first), [
            *self._coded(mark), *self._coded(request.row, split_special_tokens=True), *self._coded(last)
        ]  # fmt: skip

    def _coded(self, text: str, **how: Any) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False, **how)["input_ids"])

    @torch.inference_mode()
    def reply(self, request: Request, draw: int = 0) -> Reply:
        first, rest = self._ids(request)
        limit = getattr(self._network.config, "max_position_embeddings", 0) or 10**9
        tree = tree_of([self._coded(name) for name in request.classes], int(self._tokenizer.eos_token_id or 0))
        deep = _depth(tree)
        if len(first) + len(rest) + deep > limit:
            refused = f"{len(first) + len(rest)} tokens are more than the {limit} that the model reads"
            return Reply("", self.name, refused=refused)
        if self._shared[0] != tuple(first):
            self._shared = (tuple(first), self._pass(first, None)[1])
        cache = self._shared[1]
        logits, cache = self._pass(rest, cache)
        logs = self._walked(tree, logits, cache, len(request.classes))
        cache.crop(len(first) - cache.get_seq_length())
        best = max(range(len(logs)), key=logs.__getitem__)
        return Reply(request.classes[best], self.name, tuple(logs), (len(first) + len(rest), 1))

    def _pass(self, ids: Sequence[int], cache: Any) -> tuple[Tensor, Any]:
        """Logits of the token behind ``ids``, (v,), and the cache that they are in; of none the cache as it is."""
        given = torch.tensor([list(ids)], device=self._network.device)
        found = self._network(given, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return found.logits[0, -1], found.past_key_values

    def _walked(self, tree: Tree, logits: Tensor, cache: Any, count: int) -> list[float]:
        """Logarithm of each class's probability, by the tokens of its name.

        Args:
            tree: tokens of the names.
            logits: logits of the first token, (v,).
            cache: cache of the messages, which is as it was afterwards.
            count: number of classes.
        """
        found = [0.0] * count
        below: list[tuple[Tree, list[int], float, Tensor | None]] = [(tree, [], 0.0, logits)]
        while below:
            node, path, log, here = below.pop()
            while len(node) == 1 and isinstance(next(iter(node.values())), dict):  # only one token may stand here
                ((token, node),) = node.items()
                path, here = [*path, token], None
            if len(node) > 1 and here is None:
                here, cache = self._pass(path, cache)
                cache.crop(-len(path))
            tokens = list(node)
            shares = [0.0] if here is None or len(node) == 1 else here[tokens].double().log_softmax(-1).tolist()
            for token, share in zip(tokens, shares, strict=True):
                child = node[token]
                if isinstance(child, dict):
                    below.append((child, [*path, token], log + share, None))
                else:
                    found[child] = log + share
        return found


def tree_of(names: Sequence[Sequence[int]], end: int) -> Tree:
    """Tokens of names as a tree.

    Args:
        names: tokens of each name.
        end: token that ends a name, so that none is the beginning of another.

    >>> tree_of([[5, 6], [5], [7]], 0)
    {5: {6: {0: 0}, 0: 1}, 7: {0: 2}}
    """
    tree: Tree = {}
    for number, name in enumerate(names):
        node = tree
        for token in name:
            node = node.setdefault(token, {})
        node[end] = number
    return tree


def _depth(tree: Any) -> int:
    return 1 + max(map(_depth, tree.values())) if isinstance(tree, dict) else 0


def _known() -> str:
    return f"{', '.join(NAMES)}, a folder with a saved model, a .gguf file, or a name on the Hub"


def _source(name: str) -> str:
    """What transformers loads of a name: a folder, or the name itself, which is then one on the Hub.

    Raises:
        ChatError: there is no such model, or it is not here.
    """
    if name in weights.CATALOGUE:
        entry, folder = weights.CATALOGUE[name], weights.path_of(name)
        if entry.what != "language model":
            raise ChatError(f"model {name!r} is for {entry.what}; language models are {', '.join(NAMES)}")
        if folder is None:
            raise ChatError(f"model {name!r} is not here yet: tutelage models get {name} ({entry.megabytes} MB)")
        return str(folder)
    path = Path(name)
    if path.suffix.lower() == ".gguf":
        if not path.is_file():
            raise ChatError(f"model {name!r}: no such file")
        return str(_dequantised(path))
    if path.is_dir():
        return name
    like = did_you_mean(name, NAMES)
    if path.is_absolute() or name.startswith((".", "~")):
        raise ChatError(f"model {name!r}: no such folder{like}; give {_known()}")
    if not hub.kept(name) and ("/" not in name or not hub.reachable()):
        why = "the Hub cannot be reached from here" if "/" in name else "there is none of that name"
        raise ChatError(f"model {name!r} could not be loaded: {why}{like}; give {_known()}")
    return name


def _dequantised(file: Path) -> Path:
    """Folder of a GGUF file's model as transformers saves it, in the user's cache after the first time."""
    from tutelage.weights.gguf import dequantise

    with file.open("rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    folder = cache_folder() / "models" / f"gguf-{digest[:16]}"
    if folder.is_dir():
        return folder
    scratch = folder.with_name(f".{folder.name}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        copy = scratch / "model.gguf"
        shutil.copyfile(file, copy)
        dequantise(copy)
        copy.unlink()
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder
