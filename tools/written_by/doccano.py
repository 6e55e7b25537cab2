"""doccano itself, with a database in a file: texts are imported, and exported with the code of its own pages."""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import PICTURES, SENTENCES, TEXTS

TOOL = "doccano"
PROJECTS = {
    "DocumentClassification": "TextClassificationProject", "SequenceLabeling": "SequenceLabelingProject",
    "ImageClassification": "ImageClassificationProject",
}  # fmt: skip
"""Class of a project by its type."""


def version() -> str:
    return version_of("doccano")


def start(folder: Path) -> None:
    """Set doccano up with an empty database in a folder."""
    import backend

    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'db.sqlite3'}"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    sys.path.insert(0, next(iter(backend.__path__)))
    import django
    from django.conf import settings

    if settings.configured and django.apps.apps.ready:
        return
    django.setup()
    settings.MEDIA_ROOT = str(folder / "media")
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("create_roles", verbosity=0)


def project(kind: str, **more: Any) -> tuple[Any, Any]:
    """A new project and its user."""
    from django.contrib.auth import get_user_model
    from projects import models
    from projects.models import Member
    from roles.models import Role

    user, _ = get_user_model().objects.get_or_create(username="ann")
    made = getattr(models, PROJECTS[kind]).objects.create(
        name=str(uuid.uuid4()), project_type=kind, created_by=user, **more
    )

    Member.objects.create(project=made, user=user, role=Role.objects.get(name="project_admin"))
    return made, user


def load(of: Any, user: Any, file: Path, form: str, task: str, **columns: str) -> list[str]:
    """Import a file into a project; returns what went wrong."""
    from data_import.datasets import load_dataset
    from data_import.pipeline.catalog import create_file_format
    from data_import.pipeline.readers import FileName

    name = FileName(full_path=str(file), generated_name=file.name, upload_name=file.name)
    read = load_dataset(task, create_file_format(form), [name], of, **columns)
    read.save(user, batch_size=100)
    return [str(error.dict()) for error in read.errors]


def exported(of: Any, form: str, to: Path) -> str:
    """Export a project into a zip file, as a download is; returns its name."""
    from data_export.celery_tasks import export_dataset

    shutil.move(export_dataset(of.id, form), to)
    return to.name


def make(folder: Path) -> Iterator[Form]:
    start(folder / "base")
    rows = [{"text": text, "label": [label] if labelled else []} for text, label, labelled in TEXTS]
    given = folder / "given.jsonl"
    given.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for form in ("JSONL", "JSON", "CSV", "fastText"):
        texts, user = project("DocumentClassification", collaborative_annotation=True)
        assert not load(texts, user, given, "JSONL", "DocumentClassification")
        zipped = exported(texts, form, folder / f"texts-{form}.zip")
        unpacked = folder / f"texts-{form}"
        shutil.unpack_archive(folder / zipped, unpacked)
        file = next(unpacked.iterdir()).relative_to(folder).as_posix()
        refused = {"refused": "__label__"} if form == "fastText" else {}
        again = "." + form.lower() if form in ("JSONL", "JSON", "CSV") else ""
        yield Form(f"{form}, classes", "texts", file, {"text": "text", "label": "label"}, output=again, **refused)
        if form == "JSONL":
            yield Form("JSONL in its zip, classes", "texts", zipped, {"text": "text", "label": "label"})
    for relations in (False, True):
        yield spans(folder, relations)
    yield two_people(folder)
    yield pictures(folder)


def spans(folder: Path, relations: bool) -> Form:
    name = "entities" if relations else "label"
    rows = []
    for text, found, labelled in SENTENCES[:5]:  # an untagged one would be one without an entity
        triples = [list(span) for span in found] if labelled else []
        if relations:
            names = ("start_offset", "end_offset", "label")
            rows.append({
                "text": text, "relations": [],
                "entities": [{"id": i, **dict(zip(names, span, strict=True))} for i, span in enumerate(triples)],
            })  # fmt: skip
        else:
            rows.append({"text": text, "label": triples})
    given = folder / f"given-{name}.jsonl"
    given.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = "RelationExtraction" if relations else "SequenceLabeling"
    of, user = project("SequenceLabeling", collaborative_annotation=True, use_relation=relations)
    assert not load(of, user, given, "JSONL", task)
    zipped = exported(of, "JSONL", folder / f"spans-{name}.zip")
    shutil.unpack_archive(folder / zipped, folder / f"spans-{name}")
    form = "JSONL, spans with relations" if relations else "JSONL, spans"
    options = {"tokens": "text", "tags": name}
    return Form(form, "sentences", f"spans-{name}/all.jsonl", options, items=[0, 1, 2, 3, 4], output=".jsonl")


def two_people(folder: Path) -> Form:
    """A project in which each member labels alone: its zip has a file for each of them."""
    from django.contrib.auth import get_user_model
    from projects.models import Member
    from roles.models import Role

    of, user = project("DocumentClassification", collaborative_annotation=False)
    assert not load(of, user, folder / "given.jsonl", "JSONL", "DocumentClassification")
    bob, _ = get_user_model().objects.get_or_create(username="bob")
    Member.objects.create(project=of, user=bob, role=Role.objects.get(name="annotator"))
    zipped = exported(of, "JSONL", folder / "two.zip")
    options = {"text": "text", "label": "label", "sheet": "ann.jsonl"}
    return Form("JSONL of one of two members in a zip", "texts", zipped, options)


def pictures(folder: Path) -> Form:
    from examples.models import Example
    from label_types.models import CategoryType
    from labels.models import Category
    from PIL import Image

    from written_by.data import picture

    of, user = project("ImageClassification", collaborative_annotation=True)
    where = folder / "pictures"
    where.mkdir()
    for number, (label, labelled) in enumerate(PICTURES):
        Image.fromarray(picture(number)).save(where / f"{number}.png")
        one = Example.objects.create(
            project=of, filename=f"{uuid.UUID(int=number)}/{number}.png", upload_name=f"{number}.png"
        )
        if labelled:
            kind, _ = CategoryType.objects.get_or_create(project=of, text=label)
            Category.objects.create(example=one, label=kind, user=user)
    shutil.unpack_archive(folder / exported(of, "JSONL", folder / "pictures.zip"), where)
    options = {"images": "filename", "label": "label"}
    return Form("JSONL, classes of images", "images", "pictures/all.jsonl", options, output=".jsonl")


def take(form: Form, file: Path) -> list[Any]:
    """What doccano has after it imported a file; it takes in no labels of images."""
    if form.kind == "images":
        raise NotImplementedError
    start(file.parent / "base")
    spans, ending = form.kind == "sentences", file.suffix[1:].upper()
    if spans:
        relations = form.options["tags"] == "entities"
        of, user = project("SequenceLabeling", collaborative_annotation=True, use_relation=relations)
        faults = load(of, user, file, ending, "RelationExtraction" if relations else "SequenceLabeling")
        assert not faults, faults
        return [
            [one.text, sorted([s.start_offset, s.end_offset, s.label.text] for s in one.spans.all())]
            for one in of.examples.all()
        ]
    of, user = project("DocumentClassification", collaborative_annotation=True)
    encoding = (
        {"encoding": "utf_8"} if ending == "CSV" else {}
    )  # by default it guesses, and guesses wrong of short files
    faults = load(of, user, file, ending, "DocumentClassification", **encoding)
    assert not faults, faults
    return [[one.text, *(c.label.text for c in one.categories.all())] for one in of.examples.all()]
