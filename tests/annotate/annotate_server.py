"""An endpoint on loopback that replies as a test says, and a tiny language model with a chat template."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


def text_of(asked: dict[str, Any]) -> str:
    """The text between the marks of a request."""
    return asked["messages"][1]["content"].split("\n", 1)[1].rsplit("\n</text-", 1)[0]


def completion(
    text: str, logs: dict[str, float] | None = None, model: str = "small-1", finish: str = "stop", **more: Any
) -> dict[str, Any]:
    """A chat completion, whose one token has these alternatives."""
    choice: dict[str, Any] = {
        "index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text} | more, "logprobs": None,
    }  # fmt: skip
    if logs is not None:
        tops = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in logs.items()]
        first = next((t for t in tops if text.startswith(t["token"])), tops[0])
        choice["logprobs"] = {"content": [first | {"top_logprobs": tops}], "refusal": None}
    return {
        "id": "x", "object": "chat.completion", "created": 0, "model": model, "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 2, "total_tokens": 102},
    }  # fmt: skip


def fails(status: int, message: str = "no", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """An answer that refuses."""
    return status, headers, json.dumps({"error": {"message": message, "type": "t"}}).encode()


Answer = dict[str, Any] | tuple[int, dict[str, str], bytes] | str


@dataclass
class Server:
    """An endpoint on loopback.

    Attributes:
        says: what it answers, called with a request's body and the number of requests so far: a completion; a status,
            headers and a body; "break" for a connection that ends without a word; or "half" for a body that ends.
        asked: bodies of the requests, in the order in which they came.
        heads: their headers.
    """

    says: Callable[[dict[str, Any], int], Answer]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def texts(self) -> list[str]:
        return [text_of(asked) for asked in self.asked]


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts an endpoint: ``serve(says)``."""
    running: list[ThreadingHTTPServer] = []

    def start(says: Callable[[dict[str, Any], int], Answer]) -> Server:
        server, lock = Server(says), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    server.asked.append(body)
                    server.heads.append({name.lower(): value for name, value in self.headers.items()})
                    number = len(server.asked)
                    server.at_once += 1
                    server.most_at_once = max(server.most_at_once, server.at_once)
                try:
                    self._answer(server.says(body, number))
                finally:
                    with lock:
                        server.at_once -= 1

            def _answer(self, found: Answer) -> None:
                if found == "break":
                    self.close_connection = True
                    return
                status, headers, data = found if isinstance(found, tuple) else (200, {}, json.dumps(found).encode())
                if found == "half":
                    data = json.dumps(completion("ham")).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if found == "half" else data)
                self.close_connection = self.close_connection or found == "half"

        listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        running.append(listening)
        server.url = f"http://127.0.0.1:{listening.server_address[1]}/v1"
        return server

    yield start
    for each in running:
        each.shutdown()
        each.server_close()


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    """No key of whoever runs the tests is sent anywhere, and nobody waits long before a request is sent again."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    openai = pytest.importorskip("openai")
    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr(openai._base_client, "MAX_RETRY_DELAY", 0.02)
    from tutelage.annotate import endpoint

    monkeypatch.setattr(endpoint, "PAUSE", 0.01)


@pytest.fixture
def table(tmp_path) -> Path:
    """A table of 24 texts, one of them empty and two of them equal, with labels of some and another column."""
    rows = ["text,label,number"]
    for i in range(24):
        label = ("spam", "ham")[i % 2]
        text = "" if i == 5 else f"{label} no. {3 if i == 1 else i}"
        rows.append(f"{text},{label if i < 16 else ''},{i}")
    (tmp_path / "mine.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "mine.csv"


def as_options(values: dict[str, Any]) -> list[object]:
    """Words of options by their names: None is not given, and True is a switch."""
    words: list[object] = []
    for name, value in values.items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
    return words


@dataclass(frozen=True)
class Words:
    """Words of the command on the table of the fixture."""

    table: Path
    out: Path

    def __call__(self, *more: object, **changes: object) -> list[object]:
        options: dict[str, object] = {
            "train": self.table, "text": "text", "out": self.out, "classes": "spam,ham", "yes": True,
        }  # fmt: skip
        return ["annotate", *as_options(options | changes), *more]

    @property
    def replies(self) -> Path:
        return self.out.with_name(f"{self.out.name}.replies") / "replies.jsonl"


@pytest.fixture
def words(table, tmp_path) -> Words:
    return Words(table, tmp_path / "said.csv")


def first_word(asked: dict[str, Any], number: int) -> dict[str, Any]:
    """The class that a text begins with."""
    return completion(text_of(asked).split()[0])


def slowly(seconds: float, says: Callable[[dict[str, Any], int], Answer]) -> Callable[[dict[str, Any], int], Answer]:
    def later(asked: dict[str, Any], number: int) -> Answer:
        time.sleep(seconds)
        return says(asked, number)

    return later


TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_chat(tmp_path_factory) -> Path:
    """A language model of two layers on single characters, with a chat template, saved as transformers saves one."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny_chat")
    signs = [chr(c) for c in range(32, 127)] + ["\n", "[UNK]"]
    known = Tokenizer(models.WordLevel({sign: i for i, sign in enumerate(signs)}, unk_token="[UNK]"))
    known.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    known.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=known, unk_token="[UNK]", eos_token="<|im_end|>", additional_special_tokens=["<|im_start|>"],
    )  # fmt: skip
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=2048, initializer_range=0.5,
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder
