"""What `tutelage audit` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tutelage.ops.checks import in_range
from tutelage.run.options import Request

ITEMS = ("text", "images", "features")


@dataclass(frozen=True)
class AuditRequest:
    """What `tutelage audit` was asked to do.

    Args:
        train: table with labels, some of them perhaps wrong: csv, tsv, jsonl or parquet; or a folder of folders of
            images, named as the classes. Rows are counted from 1, the header not; images of a folder in their paths'
            order.
        out: folder for suspects.csv, audit.html and audit.json; must not exist yet, or be empty.
        text: column of the texts.
        images: column of the images, encoded or as paths from the table's folder; a folder needs none.
        features: column of lists of numbers, or what the names of a column a feature begin with.
        label: column of the labels; rows without one are left out.
        truth: column of labels known to be right, to measure by; empty where unknown.
        least: probability of being wrong from which a row is listed, in [0, 1]; 0 lists every row. What is suggested
            for a row that is more likely right is its own label.
        encoder: "minilm", a folder with a saved model, or a name on the Hub; for images "efficientnet-lite0".
        max_length: tokens read of each text.
        charset: of csv, tsv and jsonl files.
        skip_bad: leave out images that cannot be read, and say which.
        seed: of the parts that are held out in turn; at least 0.
        device: of the encoder: "auto", or as torch names it.
    """

    train: Path
    out: Path
    text: str | None = None
    images: str | None = None
    features: str | None = None
    label: str | None = None
    truth: str | None = None
    least: float = 0.05
    encoder: str | None = None
    max_length: int = 128
    charset: str = "utf-8"
    skip_bad: bool = False
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        in_range("least", float(self.least), 0, 1)
        in_range("seed", self.seed, 0, 2**32 - 1)
        named = [f"--{name}" for name in ITEMS if getattr(self, name) is not None]
        if self.of_folder:
            columns = [*named, *(["--truth"] if self.truth is not None else [])]
            if columns:
                raise ValueError(f"{columns[0]} names a column, but {self.train} is a folder of images and has none")
        elif len(named) != 1:
            raise ValueError(f"give one of --text, --images and --features, got {' and '.join(named) or 'none'}")
        elif self.label is None:
            raise ValueError("--label must be given: the name of a column")
        if self.skip_bad and self.kind != "images":
            raise ValueError(f"--skip-bad is of images, but --{self.kind} was given")
        if self.encoder is not None and self.kind == "features":
            raise ValueError("leave out --encoder: --features are what it would give")
        self.reading()

    @property
    def of_folder(self) -> bool:
        """Whether a folder of images is read, not a table; what has no ending is one, also if it is not there."""
        return self.train.is_dir() or not (self.train.suffix or self.train.exists())

    @property
    def kind(self) -> str:
        """One of ITEMS."""
        return "images" if self.of_folder else next(name for name in ITEMS if getattr(self, name) is not None)

    def reading(self) -> Request | None:
        """The same as it is asked of `tutelage fit`, which reads texts and images alike; None of features.

        Raises:
            ValueError: an option out of its range, or ``out`` in the folder that is read.
        """
        if self.kind == "features":
            return None
        return Request(
            self.train,
            self.out,
            "image" if self.kind == "images" else "classification",
            text=self.text,
            images=self.images,
            label=self.label,
            encoder=self.encoder,
            max_length=self.max_length,
            charset=self.charset,
            skip_bad=self.skip_bad,
            seed=self.seed,
            device=self.device,
            evidence=False,
        )
