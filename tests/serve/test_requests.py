"""Requests that are refused: each with a status, and with what is wrong and where."""

from __future__ import annotations

import json
import re
import threading

import pytest

starlette = pytest.importorskip("starlette", reason="the extra serve is not installed")

from tutelage.serve.bodies import CELLS, Limits, accepted  # noqa: E402
from tutelage.serve.refusals import RefusedError  # noqa: E402

JSON, CSV = {"Content-Type": "application/json"}, {"Content-Type": "text/csv"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"{}", {"Content-Type": "text/plain"}, 415, "must be application/json or text/csv, not 'text/plain'"),
        (b"{}", {}, 415, "and none is named"),
        (b"{}", {"Content-Type": "application/json; charset=latin-1"}, 415, "the charset must be utf-8"),
        (b"{}", JSON | {"Content-Encoding": "gzip"}, 415, "must not be packed"),
        (b"{}", JSON | {"Accept": "text/html"}, 406, "Accept names neither"),
        (b"", JSON, 400, "the body is empty"),
        (b"{", JSON, 400, "the body is not JSON"),
        (b"\xff\xfe", CSV, 400, "not utf-8 (byte 1)"),
        (b'{"rows": ["\\ud83d"]}', JSON, 400, "half a character"),
        (b"[" * 100_000, JSON, 400, "brackets within brackets"),
        (b'{"rows": [' + b"[" * 200 + b"]" * 200 + b"]}", JSON, 400, "brackets within brackets"),
        (b'{"rows": [{"text": "a", "text": "b"}]}', JSON, 400, "'text' is there twice"),
        (b'{"rows": [' + b"9" * 5000 + b"]}", JSON, 400, "digits"),
        (b"[]", JSON, 422, "an object with the key 'rows' is needed, got a list"),
        (b'{"rows": "a"}', JSON, 422, "'rows' must be a list, got text"),
        (b'{"rows": []}', JSON, 422, "'rows' is empty"),
        (b'{"rows": ["a"], "row": 1}', JSON, 422, "'rows' alone, got 'row'"),
        (b'{"rows": [{"body": "a"}]}', JSON, 422, "request.json: no column 'text'; it has 'body'"),
        (b'{"rows": ["a", ["b"]]}', JSON, 422, "request.json, row 2, column 'text': not text but a list"),
        (b"body\na\n", CSV, 422, "request.csv: no column 'text'; it has 'body'"),
        (b"text\n", CSV, 422, "request.csv: the file has no rows"),
        (b"text,n\na,1\nb,2,3\n", CSV, 422, "1 row has more cells than the 2 of the header (first: row 2"),
        (b"text\na\0b\n", CSV, 422, "byte is zero"),
        (b"\x1f\x8b\x08\x00", CSV, 400, "not utf-8"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read(serve, body, headers, status, says):
    answer = serve("texts").client.post("/predict", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert says in " ".join(answer.json()["errors"])


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?abstain=2", "abstain must be in (0, 1), got 2"), ("?abstain=nan", "abstain must be in (0, 1)"),
        ("?abstain=x", "abstain must be a number in (0, 1), got 'x'"), ("?classes=1", "classes must be true or false"),
        ("?abtain=0.1", "no parameter 'abtain'; there are abstain and classes"),
    ],
)  # fmt: skip
def test_a_query_that_is_not_right(serve, query, says):
    answer = serve("texts").ask(["a"], query)
    assert answer.status_code == 422 and says in answer.json()["errors"][0]


def test_a_row_and_a_column_are_named_as_the_command_names_them(serve, run, runs, tmp_path):
    body = "a,b\n1,2\n3,x\n"
    (tmp_path / "request.csv").write_text(body)
    code, shown = run("predict", runs / "rows", "--input", tmp_path / "request.csv", "--output", tmp_path / "o.csv")
    said = serve("rows").client.post("/predict", content=body, headers=CSV)
    assert (code, said.status_code) == (2, 422)
    (message,) = said.json()["errors"]
    assert "row 2, column 'b': not a number but 'x'" in message
    assert f"Error: {tmp_path}/{message}" in shown
    (message,) = serve("rows").ask([{"a": 1, "b": 2}, {"a": 3}]).json()["errors"]
    assert "request.json, row 2, column 'b'" in message
    (message,) = serve("rows").ask([[1, 2]]).json()["errors"]
    assert message == "request.json: row 1 must be an object by column, got a list"


def test_items_without_a_single_label_are_not_withheld(serve):
    answer = serve("sentences").ask([["the", "soup"]], "?abstain=0.1")
    assert answer.status_code == 422 and "have labels within" in answer.json()["errors"][0]


def test_too_much_is_refused(serve):
    served = serve("texts", limits=Limits(rows=3, bytes=200))
    assert served.ask(list("abc")).status_code == 200
    answer = served.ask(list("abcd"))
    assert answer.status_code == 413 and "4 rows are more than 3" in answer.json()["errors"][0]
    assert served.client.post("/predict", content="text\n" + "a\n" * 4, headers=CSV).status_code == 413
    assert served.ask(["x" * 300]).status_code == 413
    parts = served.client.post("/predict", content=(b"x" * 50 for _ in range(9)), headers=CSV)  # of no named length
    assert parts.status_code == 413 and "more than 200 bytes" in parts.json()["errors"][0]


def test_rows_that_each_name_columns_of_their_own_do_not_fill_the_memory(serve):
    rows = [{f"c{i}-{j}": 0 for j in range(4)} for i in range(1200)]
    assert len(rows) ** 2 * 4 > CELLS
    answer = serve("rows").ask(rows)
    assert answer.status_code == 413 and "cells" in answer.json()["errors"][0]


def test_who_waits_behind_too_many_is_told_to_come_again(serve):
    served = serve("texts", limits=Limits(waiting=1))
    entered, leave = threading.Event(), threading.Event()
    model, answers = served.app.service.current.run.model, served.app.service.current.run.model.answers

    def slow(items, tick=None):
        entered.set()
        leave.wait(10)
        return answers(items, tick)

    model.answers = slow
    found = []
    first = threading.Thread(target=lambda: found.append(served.ask(["a soup"]).status_code))
    first.start()
    assert entered.wait(10)
    refused = served.ask(["a goal"])
    leave.set()
    first.join(10)
    assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
    assert found == [200] and served.ask(["a goal"]).status_code == 200


def test_with_a_token_all_but_the_health_is_asked_for_it(serve):
    served = serve("texts", token="a-token-of-some-length")
    assert served.client.get("/healthz").json() == {"status": "ok"}
    right = {"Authorization": "Bearer a-token-of-some-length"}
    for method, path in (("POST", "/predict"), ("GET", "/metrics"), ("GET", "/"), ("GET", "/openapi.json"),
                         ("POST", "/reload"), ("GET", "/nowhere")):  # fmt: skip
        for headers in ({}, {"Authorization": "Bearer a-token"}, {"Authorization": "Basic a-token-of-some-length"},
                        {"Authorization": "Bearer ä".encode()}):  # fmt: skip
            refused = served.client.request(method, path, headers=headers)
            assert refused.status_code == 401 and refused.headers["www-authenticate"].startswith("Bearer")
        assert served.client.request(method, path, headers=right).status_code != 401
    assert served.ask(["a soup"], **right).status_code == 200


def test_without_a_token_the_service_is_called_by_its_own_names_alone(serve):
    served = serve("texts", hosts=("localhost", "127.0.0.1", "::1"))
    for host, status in (("localhost:8000", 200), ("127.0.0.1", 200), ("[::1]:8000", 200), ("evil.example", 403)):
        assert served.ask(["a"], Host=host).status_code == status
    assert served.client.post("/reload").status_code == 403


def test_paths_and_methods_that_there_are_none_of(serve):
    served = serve("texts")
    assert served.client.get("/predict").status_code == 405
    assert served.client.get("/nowhere").json() == {"errors": ["Not Found"]}
    counted = served.client.get("/metrics").text
    assert 'tutelage_requests_total{path="other",status="404"} 1.0' in counted


def test_a_fault_of_ours_is_told_without_a_word_of_the_request(serve):
    served = serve("texts")

    def broken(items, tick=None):
        raise RuntimeError(f"cannot read {items}")

    served.app.service.current.run.model.answers = broken
    answer = served.ask(["a secret soup"])
    assert answer.status_code == 500 and answer.json() == {"errors": ["a fault of the service"]}
    assert len(served.said) == 1 and re.fullmatch(r"A fault of Tutelage: RuntimeError at \w+\.py:\d+\.", served.said[0])


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "application/json"), ("*/*", "application/json"), ("text/csv", "text/csv"),
        ("text/csv, application/json", "application/json"), ("text/csv, application/json;q=0.9", "text/csv"),
        ("text/*", "text/csv"), ("text/html, */*;q=0.1", "application/json"),
        ("TEXT/CSV;q=x, */*;q=0.1", "application/json"),
    ],
)  # fmt: skip
def test_the_answer_has_the_form_that_is_preferred(header, chosen):
    assert accepted(header) == chosen


def test_no_form_that_is_not_accepted():
    with pytest.raises(RefusedError):
        accepted("text/csv;q=0, application/json;q=0, image/png")


def test_the_description_names_columns_and_classes_and_needs_nothing_from_elsewhere(serve):
    served = serve("texts", token="a-token-of-some-length")
    right = {"Authorization": "Bearer a-token-of-some-length"}
    found = served.client.get("/openapi.json", headers=right).json()
    post = found["paths"]["/predict"]["post"]
    row = post["requestBody"]["content"]["application/json"]["schema"]["properties"]["rows"]["items"]["anyOf"][0]
    assert row == {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    answer = post["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["rows"]["items"]
    assert answer["properties"]["predicted"] == {"enum": ["food", "sport", None]}
    assert found["security"] == [{"token": []}] and found["openapi"] == "3.1.0"
    page = served.client.get("/", headers=right)
    assert '<bdi lang="">food</bdi>, <bdi lang="">sport</bdi>' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<script|https?://|@import|src=", page.text)
    json.dumps(served.client.get("/openapi.json", headers=right).json())


def test_the_numbers_count_what_was_asked(serve):
    served = serve("rows")
    served.ask([{"a": 1, "b": 2}] * 3)
    served.ask([{"a": 1}])
    found = served.client.get("/metrics")
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in ('tutelage_requests_total{path="/predict",status="200"} 1.0', "tutelage_rows_total 3.0",
                 'tutelage_requests_total{path="/predict",status="422"} 1.0', "tutelage_errors_total 1.0",
                 "tutelage_predict_seconds_count 1.0", "tutelage_batch_items_sum 3.0"):  # fmt: skip
        assert line in found.text, line
    name = served.app.service.current.fingerprint
    assert f'tutelage_model_info{{fingerprint="{name}",kind="rows",name="rows"}} 1.0' in found.text


def test_a_header_of_very_many_columns_is_refused_before_it_is_read(serve):
    content = "text," + ",".join(f"x{i}" for i in range(100_000)) + "\na\n"
    answer = serve("texts").client.post("/predict", content=content, headers=CSV)
    assert answer.status_code == 413 and "100,001 columns, more than 5,000" in answer.json()["errors"][0]
