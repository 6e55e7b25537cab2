"""Install this checkout into the environment of the interpreter that runs this: by uv where it can be had, else by pip.

uv reads no configuration of pip's, so it is handed pip's indexes, links, constraints and certificate here. Where there
is no GPU and pip's indexes have no build of torch without CUDA (of some 5 GB), PyTorch's own index of CPU builds is
asked for one.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
EXTRAS = "hub,images,gguf,onnx,rules,devices,bench,serve,tensorboard,llm,dev,docs"
CONSTRAINTS = HERE / "constraints.txt"
BY = ("any", "uv", "pip")
OF_CUDA = re.compile(r"^ \+ (nvidia-|cuda-|triton==)", re.MULTILINE)
"""Packages of a plan that torch's CUDA builds alone need."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Install this checkout where this interpreter's packages are.")
    parser.add_argument("--by", choices=BY, default="any", help="the installer; any: uv where it can be had, else pip")
    parser.add_argument("--extras", default=EXTRAS, help="extras to install; empty for none")
    given = parser.parse_args()
    what = ["--constraint", str(CONSTRAINTS), "--editable", f"{HERE}[{given.extras}]" if given.extras else str(HERE)]
    uv = None if given.by == "pip" else found_uv() or fetched_uv()
    if uv is not None and with_uv(uv, what):
        return
    if given.by == "uv":
        sys.exit("uv could not be had, or could not install")
    print("Installing with pip; a few minutes", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", *what]
    sys.exit(subprocess.run(pip, check=False).returncode)


def found_uv() -> list[str] | None:
    """The command of a uv that is there, on the path or in this environment."""
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv"]
    there = shutil.which("uv")
    return None if there is None else [there]


def fetched_uv() -> list[str] | None:
    """The command of a uv that pip puts into this environment; None where it cannot."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    done = subprocess.run([*pip, "--constraint", str(CONSTRAINTS), "uv"], capture_output=True, text=True, check=False)
    importlib.invalidate_caches()
    return found_uv() if done.returncode == 0 else None


def with_uv(uv: Sequence[str], what: Sequence[str], python: str = sys.executable) -> bool:
    """Install with uv, where an interpreter's packages are; whether that went well."""
    options, environment = as_uv_has_them(settings_of_pip(), os.environ)
    command = [*uv, "pip", "install", "--python", python, *options, *what]
    if not has_gpu():
        command += without_cuda(command, environment)
    print("Installing with uv; about a minute, less where its cache is warm", flush=True)
    return subprocess.run([*command, "--quiet"], env=environment, check=False).returncode == 0


def without_cuda(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Options by which torch comes without CUDA, where pip's own indexes would bring it; none where nothing helps."""
    if not OF_CUDA.search(plan(command, environment)):
        return []
    quick = dict(environment) | {"UV_HTTP_TIMEOUT": "15", "UV_HTTP_RETRIES": "1"}
    other = plan([*command, "--torch-backend", "cpu"], quick)
    if other and not OF_CUDA.search(other):
        return ["--torch-backend", "cpu"]
    print("There is no GPU here, but no build of torch without CUDA was found: some 5 GB will be installed")
    return []


def plan(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What uv would install, a line each, as it says it; "" where it finds no way."""
    done = subprocess.run(
        [*command, "--dry-run", "--color", "never"], env=environment, capture_output=True, text=True, check=False
    )
    return done.stderr + done.stdout if done.returncode == 0 else ""


def has_gpu() -> bool:
    """Whether this machine has a GPU that CUDA would find."""
    tool = shutil.which("nvidia-smi")
    listed = tool and subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False).stdout
    return bool(listed and "GPU" in listed) or any(Path("/dev").glob("nvidia[0-9]*"))


def settings_of_pip() -> dict[str, list[str]]:
    """Options that pip takes from its files and from the environment, those for every command and for its install."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    return parsed(listed.stdout)


def parsed(listed: str) -> dict[str, list[str]]:
    r"""The words of each option, from lines as pip lists them; what stands later in pip's own order holds.

    >>> parsed("global.find-links='/a /b'\n:env:.find-links='/c'\nfreeze.all='1'\nglobal.cert='c'")
    {'find-links': ['/c'], 'cert': ['c']}
    """
    found: dict[str, list[str]] = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}.") and value:
                found[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value)).split()
    return found


def as_uv_has_them(
    pip: Mapping[str, Sequence[str]], environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Options and environment of uv that say what pip's options say; what the user has set for uv stays."""
    options = ["--index-strategy", "unsafe-best-match"]  # the best version of all indexes, as pip takes it
    options += [word for link in pip.get("find-links", ()) for word in ("--find-links", link)]
    options += [word for file in pip.get("constraint", ()) for word in ("--constraint", file)]
    options += ["--no-index"] * (pip.get("no-index", ["false"])[0].lower() in ("1", "true", "yes", "on"))
    own = {
        "UV_DEFAULT_INDEX": " ".join(pip.get("index-url", ())),
        "UV_INDEX": " ".join(pip.get("extra-index-url", ())),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", ())),
        "UV_HTTP_TIMEOUT": " ".join(pip.get("timeout", pip.get("default-timeout", ()))),
        "SSL_CERT_FILE": " ".join(pip.get("cert", ())),
        "ALL_PROXY": " ".join(pip.get("proxy", ())),
    }
    return options, {name: value for name, value in own.items() if value} | dict(environment)


if __name__ == "__main__":
    main()
