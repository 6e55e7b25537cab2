"""Tensors in a file of safetensors, which holds the SHA-256 of its own contents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from tutelage.files.errors import FORMAT, VOUCHED, BadFileError, check_format, why
from tutelage.files.whole import write_atomically


def write_tensors(path: Path, tensors: dict[str, Tensor], meta: Any = None) -> None:
    """Write tensors by name, and a value that JSON can hold, into one file, atomically, with a hash of both.

    The file knows its own name, so that one that takes the place of another is found.
    """
    contiguous = {n: t.detach().contiguous() for n, t in tensors.items()}
    header = {"format": FORMAT, "name": path.name, "meta": meta, "sha256": hash_of_tensors(contiguous, meta)}
    write_atomically(path, save(contiguous, metadata={"tutelage": json.dumps(header)}))


def hash_of_tensors(tensors: Mapping[str, Tensor], meta: Any = None) -> str:
    """SHA-256 of tensors, with their names, types and shapes, and of a value that JSON can hold."""
    h = hashlib.sha256(json.dumps(meta).encode())
    for name, tensor in sorted(tensors.items()):
        h.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        flat = tensor.reshape(-1)
        flat = flat if flat.stride(0) == 1 else flat.clone(memory_format=torch.contiguous_format)  # of one number
        h.update(flat.view(torch.uint8).cpu().numpy().data)
    return h.hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, Tensor], Any]:
    """The tensors, by name, and the JSON value of a file that `write_tensors` wrote. The file holds no code to run.

    Raises:
        FileNotFoundError: there is no such file.
        BadFileError: the file is damaged or truncated, of another format, or written by a newer version.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as f:
            header = (f.metadata() or {}).get("tutelage")
            tensors = {n: f.get_tensor(n) for n in f.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as e:
        raise BadFileError(f"{path}: truncated or not a safetensors file ({why(e)})") from e
    except (ValueError, TypeError, KeyError, RuntimeError, OverflowError) as e:  # of a header that is damaged
        raise BadFileError(f"{path}: damaged ({why(e)})") from e
    try:
        content = json.loads(header or "null")
        form, meta, name = content["format"], content["meta"], content.get("name", path.name)
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise BadFileError(f"{path}: not written by tutelage") from e
    check_format(path, form)
    if name != path.name:
        raise BadFileError(f"{path}: damaged: its contents are those of a file of another name")
    if ("sha256" in content or form >= VOUCHED) and content.get("sha256") != hash_of_tensors(tensors, meta):
        raise BadFileError(f"{path}: damaged: its contents are not those that were written (SHA-256)")
    return tensors, meta
