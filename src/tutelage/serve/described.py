"""What a service takes and gives, for programs (OpenAPI) and for people (a page that needs nothing from elsewhere)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tutelage
from tutelage.pages.templating import environment
from tutelage.serve.answering import EACH
from tutelage.serve.bodies import CSV, JSON, ROWS, Limits
from tutelage.serve.served import Served
from tutelage.tables import PREDICTED, PREDICTED_SPANS, PROBABILITY

ERRORS: Mapping[int, str] = {
    400: "The body is no JSON, empty, or not utf-8.",
    401: "The token is missing or another.",
    403: "The service is called by a name that is not its own.",
    406: "Neither JSON nor csv is accepted.",
    408: "The body did not arrive in time.",
    413: "The body, or the table in it, is too large.",
    415: "The body is neither JSON nor csv.",
    422: "A row or a column cannot be read; the message says which.",
    503: "Too many requests wait; Retry-After says when to come again.",
}
"""What each status of an error means."""


def openapi(served: Served, limits: Limits, token: bool) -> dict[str, Any]:
    """Description of the service by OpenAPI 3.1, which names the columns and the classes of the run.

    Args:
        served: what is served.
        limits: how much may be asked.
        token: whether a token is asked for.
    """
    words, row, answer = served.run.kind.words, _row(served), _answer(served)
    rows = {"type": "array", "minItems": 1, "maxItems": limits.rows, "items": row}
    body = {"type": "object", "required": [ROWS], "additionalProperties": False, "properties": {ROWS: rows}}
    text = {CSV: {"schema": {"type": "string"}}}
    query = [
        {"name": "abstain", "in": "query", "schema": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
         "description": "Give no label where more than this share of the given ones would be wrong."},
        {"name": "classes", "in": "query", "schema": {"type": "boolean", "default": False},
         "description": "Give the probabilities of all classes, too."},
    ]  # fmt: skip
    given = {"description": "Predictions.", "content": {JSON: {"schema": answer}, **text}}
    predict = {
        "summary": f"Predictions of {words.things}", "operationId": "predict", "parameters": query,
        "requestBody": {"required": True, "content": {JSON: {"schema": body}, **text}},
        "responses": {"200": given, **_errors()},
    }  # fmt: skip
    plain = {"200": {"description": "It answers.", "content": {JSON: {"schema": {"type": "object"}}}}}
    numbers = {"200": {"description": "Numbers.", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": f"{served.name}: {words.things}", "version": tutelage.__version__,
            "description": f"Model {served.fingerprint}, by Tutelage.",
        },
        "paths": {
            "/predict": {"post": predict},
            "/healthz": {"get": {"summary": "Whether it answers", "security": [], "responses": plain}},
            "/metrics": {"get": {"summary": "Numbers for Prometheus", "responses": numbers}},
            "/reload": {"post": {"summary": "Load the run again", "responses": {**plain, **_errors(401, 403, 409)}}},
        },
    }  # fmt: skip
    if token:
        found |= {"components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
                  "security": [{"token": []}]}  # fmt: skip
    return found


def _row(served: Served) -> dict[str, Any]:
    """Schema of a row: an object by column, or, of one column, its cell."""
    cell = dict(served.run.kind.cell or {})
    row: dict[str, Any] = {
        "type": "object", "required": list(served.columns), "properties": dict.fromkeys(served.columns, cell)
    }  # fmt: skip
    return {"anyOf": [row, cell]} if len(served.columns) == 1 else row


def _answer(served: Served) -> dict[str, Any]:
    """Schema of an answer."""
    classes = [str(c) for c in served.run.model.classes]
    number = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    each: dict[str, Any] = {"type": "object", "properties": dict.fromkeys(classes, number)}
    label: dict[str, Any] = {"enum": [*served.run.model.classes, None]}
    if served.run.model.task.sequential:
        label, each = {"type": "array", "items": {"enum": classes}}, {"type": "array", "items": each}
    row = {"row": {"type": "integer"}, PREDICTED: label, PROBABILITY: number, EACH: each}
    if served.run.model.task.sequential:
        row |= {PREDICTED_SPANS: {"type": "array"}}
    return {
        "type": "object",
        "properties": {
            ROWS: {"type": "array", "items": {"type": "object", "properties": row}},
            "notes": {"type": "array", "items": {"type": "string"}}, "model": {"type": "string"},
        },
    }  # fmt: skip


def _errors(*which: int) -> dict[str, Any]:
    more = {
        409: "The run cannot be loaded; the old one stays.",
    }
    says = {**ERRORS, **more}
    return {str(status): {"description": says[status]} for status in which or ERRORS}


def page(served: Served, limits: Limits, token: bool) -> str:
    """The page for people."""
    example = json.dumps({ROWS: [dict.fromkeys(served.columns[:4], "...")]}, ensure_ascii=False)
    return environment("tutelage.serve").get_template("service.html").render(
        served=served, words=served.run.kind.words, limits=limits, token=token, example=example, errors=ERRORS,
        classes=[str(c) for c in served.run.model.classes],
    )  # fmt: skip
