"""Put the recorded results into README.md and docs/*.md, between <!-- name --> and <!-- end -->.

python benchmarks/tables.py          rewrites them
python benchmarks/tables.py --check  fails when one is not what the results say
"""

from __future__ import annotations

import json
import math
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from scipy.stats import beta

from tutelage.bench import markdown, summary
from tutelage.bench.markdown import grid, interval
from tutelage.bench.protocol import Protocol, read_protocol
from tutelage.bench.running import PEER, Row, current, read_rows

HERE = Path(__file__).parent
MAIN, MORE = ("text", "digits", "images", "signals"), ("loop", "noise", "weak", "weak_long", "ner", "pixels")
AUDIT_COLUMNS = ("listed", "expected", "found")
BASELINE, CHOOSER, TEACHER = "labels only", "auto", "teacher alone"
MEASURES = {"ner": "Entity F1", "pixels": "Mean IoU"}
WORDS = tomllib.loads((HERE / "tables.toml").read_text(encoding="utf-8"))
NAMES, MUTUAL, DISTILLED, AUDITS, DATA = (WORDS[k] for k in ("names", "mutual", "distilled", "audits", "data"))
NOTHING = pd.Series(dtype=float)


@cache
def lines(name: str) -> pd.DataFrame:
    return pd.read_json(HERE / "results" / f"{name}.jsonl", lines=True)


def held(name: str) -> Any:
    return json.loads((HERE / "results" / f"{name}.json").read_text())


def points(values: pd.Series, sign: str = "", least: int = 2) -> str:
    """The mean of shares in %, with the half-width of its 90 % interval where there are ``least`` seeds."""
    values = values.dropna()
    half = 100 * summary.half_width(values) if len(values) >= least else math.nan
    return interval(100 * float(values.mean()), half, sign) if len(values) else "–"


mean = partial(points, least=sys.maxsize)
"""The mean alone."""


def listed(name: str, rows: Iterable[Mapping[str, Any]] | None = None) -> str:
    """A line for each row, by default of those in results/NAME.json, with the columns that tables.toml names."""
    forms: dict[str, str] = WORDS["listed"][name]
    rows = rows_of(held(name)) if rows is None else rows
    return grid(list(forms), [[f.format_map(row).replace("%", " %") for f in forms.values()] for row in rows])


def rows_of(found: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """What is recorded by name, one row or a list of rows for each."""
    for name, part in found.items():
        rows = [part] if isinstance(part, dict) else part if isinstance(part, list) else []
        yield from ({"name": name, **row} for row in rows)


def planted_rows() -> Iterator[dict[str, Any]]:
    """A row for each way in which copies were planted among items of a data set."""
    for name, ways in held("copies_planted").items():
        for way, row in ((way, row) for way, row in ways.items() if isinstance(row, dict)):
            recall = "–" if row["recall"] is None else f"{row['recall']:.1%}"
            yield {"name": name.replace("_", " "), "way": way} | row | {"recall": recall}


Cell = Callable[[pd.Series], str]


def cross(
    rows: pd.DataFrame,
    value: str,
    names: Mapping[str, str],
    across: str,
    columns: Iterable[object],
    cell: Cell = points,
) -> list[list[str]]:
    """A line for each method of ``names``, and in it a cell for each of ``columns``, values of ``across``."""
    by = dict(list(rows.groupby(["method", across])[value]))
    return [[name, *(cell(by.get((m, c), NOTHING)) for c in columns)] for m, name in names.items()]


def paired(rows: pd.DataFrame, value: str, better: str, worse: str) -> pd.Series:
    """Differences between two methods on what both have, by seed and number of labels."""
    wide = rows.pivot_table(index=[c for c in ("labels", "seed") if c in rows], columns="method", values=value)
    return (wide[better] - wide[worse]).dropna() if {better, worse} <= set(wide) else NOTHING


# Protocols


@cache
def recorded(name: str) -> tuple[Protocol, list[Row]]:
    """A protocol and its lines of results."""
    protocol = read_protocol(HERE / "protocols" / f"{name}.toml")
    return protocol, current(protocol, read_rows(HERE / "results" / "protocols" / f"{name}.jsonl"))


def whole(name: str) -> str:
    """All of a protocol's table."""
    protocol, rows = recorded(name)
    return f"{protocol.about}\n\n" + markdown.table(rows, BASELINE, MEASURES.get(name, "Accuracy")).rstrip()


def own() -> dict[str, list[Row]]:
    """The lines of the main protocols, without those of other libraries."""
    return {name: [r for r in recorded(name)[1] if PEER not in r["method"]] for name in MAIN}


def best_and_worst() -> str:
    """The automatic choice, the labels alone, and of the methods the five that gain most and the two that lose most."""
    gain = summary.wins(summary.together(own().values()), BASELINE).difference
    methods = sorted((m for m in recorded(MAIN[0])[0].methods if m != CHOOSER), key=lambda m: -gain[m])
    return markdown.gains(own(), BASELINE, [CHOOSER, *methods[:5], BASELINE, *methods[-2:]], each=False)


def bench_libraries() -> str:
    rows = summary.together(recorded(name)[1] for name in (*MAIN, "noise"))
    return markdown.counterparts(rows, WORDS["counterparts"], CHOOSER)


# Recorded before there were protocols: texts by the frozen encoder, the evidence, an encoder trained whole

COUNTS = (4, 10, 30)
WITH_POOL = {m: NAMES[m] for m in ("self_training", "mean_teacher", "drift")}


def ag_news() -> str:
    rows = lines("frozen_text")
    rows = rows[rows.data == "ag_news"]
    body = cross(rows, "reference", {"drift": "labels-only reference"}, "labels_a_class", COUNTS)
    body[0] += ["", ""]
    for m in ("supervised", *WITH_POOL):
        mine = rows[rows.method == m]
        most = mine[mine.labels_a_class == COUNTS[-1]]
        body += cross(mine, "candidate", {m: NAMES[m]}, "labels_a_class", COUNTS)
        body[-1] += [points(most.candidate - most.reference, "+"), f"{mine.seconds.mean():.0f}"]
    return grid(["labels a class", *map(str, COUNTS), "gain at 30, paired", "seconds a fit"], body)


def all_sets() -> str:
    rows, body = lines("frozen_text"), []
    for (data, n), group in rows[rows.method != "supervised"].groupby(["data", "labels_a_class"]):
        change = dict(list((group.candidate - group.reference).groupby(group.method)))
        body.append([f"{data}, {n}", f"{100 * group.reference.mean():.1f}", *(mean(change[m], "+") for m in WITH_POOL)])
    return grid(["data set, labels a class", "labels-only reference", "self-training", "Mean Teacher", "DRIFT"], body)


def disaster() -> str:
    body = []
    for n, g in lines("disaster").groupby("labels_a_class"):
        refused = f"{(g.returned == 'reference').sum()} of {len(g)}"
        body.append([str(n), mean(g.reference), mean(g.candidate), mean(g.observed, "+"), refused])
    header = ["labels a class", "labels only", "self-training, defaults", "cross-validation saw", "refused"]
    return grid(header, body)


def finetuned() -> str:
    rows = lines("finetuned")
    body = [["frozen encoder, logistic regression", mean(rows.linear_probe[:1]), ""]]
    body += [[NAMES[r.method], f"{100 * r.accuracy:.1f}", f"{r.seconds / 60:.1f}"] for r in rows.itertuples()]
    return grid(["method", "accuracy", "minutes"], body)


def weak(sets: Sequence[str], methods: Sequence[str], finetuned: bool = False) -> str:
    """After weak labels: scores by data set, and their mean where all have one."""
    rows = lines("weak")
    rows = rows[(rows.finetuned == True) == finetuned]  # noqa: E712
    alone = rows[rows.method == "weak labels"].assign(method="alone", score=lambda r: r.test)
    rows, names = pd.concat([rows, alone]), {m: NAMES.get(m, m) for m in methods}
    body = cross(rows, "score", names, "data", sets, partial(points, least=3))
    if len(sets) == 1:
        return grid(["", *sets], body)
    means = rows.groupby(["method", "data"]).score.mean().unstack()[list(sets)].mean(axis=1, skipna=False)
    return grid(["", *sets, "mean"], [[*line, mean(means[[m]])] for m, line in zip(methods, body, strict=True)])


# Studies: anticipation

ENTITIES = ("conll03", "wikigold", "twitter")


def compared(lines_of: Sequence[Sequence[Any]], still: str) -> Iterator[tuple[str, str, str]]:
    """Name, variant and base of each line; the base itself shows its score, others their change to it."""
    for start, title, values in lines_of:
        if isinstance(values, str):
            yield title, start, values
            continue
        base = f"{start} coefficient 0.0"
        yield f"{title}: {still}", base, base
        yield from ((f"{title}, coefficient {c}", f"{start} coefficient {c}", base) for c in values)


def study(name: str, entities: bool = False) -> str:
    """A table of the study, with the lines that tables.toml gives it."""
    names = list(compared(**WORDS["anticipation"][name]))
    rows = lines("anticipation").rename(columns={"variant": "method"})
    rows = rows[rows.method.isin({v for _, *pair in names for v in pair})]
    rows = rows[rows.setting.isin(("mit_restaurant", *ENTITIES))] if entities else rows[~rows.setting.isin(ENTITIES)]
    by = dict(list(rows.groupby("setting", sort=False)))

    def cell(of: pd.DataFrame, variant: str, base: str) -> str:
        if variant == base:
            return mean(of[of.method == base].score)
        change = paired(of, "score", variant, base)
        return points(change, "+") if len(change) > 1 else "–"

    header = ["", *(f"{s} ({of.groupby('method').seed.nunique().max()} seeds)" for s, of in by.items())]
    return grid(header, [[title, *(cell(of, *pair) for of in by.values())] for title, *pair in names])


def anticipation_stability() -> str:
    """Spread over the seeds, and flips of a pseudo-label an epoch of the pool."""
    rows = lines("anticipation")
    rows, body = rows[~rows.setting.isin(ENTITIES)], []
    by = dict(list(rows.groupby(["variant", "setting"], sort=False)))
    for variant in WORDS["stability"]:
        found = [by[variant, s] for s in rows.setting.unique()]
        cells = [f"{100 * g.score.std():.1f} / {100 * g.flips.mean():.1f}" for g in found]
        body.append([variant.replace(" coefficient", ", coefficient"), *cells])
    return grid(["spread over seeds, points / flips an epoch, %", *rows.setting.unique()], body)


# Studies: mutual training


def mutual_lines() -> pd.DataFrame:
    return pd.concat([lines("mutual"), lines("mutual_images")], ignore_index=True)


def mutual(data: str) -> str:
    rows = mutual_lines()
    rows = rows[rows.data == data]
    counts, seconds = sorted(rows.labels.unique()), rows.groupby("method").seconds.median()
    names = {m: name for m, name in MUTUAL.items() if m in seconds}
    body = cross(rows, "score", names, "labels", counts)
    header = ["", *(f"{n} labelled" for n in counts), "seconds"]
    return grid(header, [[*line, f"{s:.0f}"] for line, s in zip(body, seconds[[*names]], strict=True)])


def margins() -> str:
    """The paired differences between each method and the one with a thing less, over all numbers of labels."""
    by, body = dict(list(mutual_lines().groupby("data"))), []
    for better, worse in (("cbst", "labels only"), ("dst", "cbst"), ("dmt, mutual", "dst"), ("dmt", "dst")):
        changes = [paired(by[data], "score", better, worse) for data in ("cifar10", "fashion", "camvid")]
        cells = [f"{points(c, '+')}, above in {(c > 0).sum()} of {len(c)}" if len(c) else "–" for c in changes]
        body.append([f"{MUTUAL[better]} − {MUTUAL[worse]}", *cells])
    return grid(["", "CIFAR-10, frozen features", "Fashion-MNIST, small CNN", "CamVid, U-Net"], body)


def detection() -> str:
    """AUROC for wrong labels, of the last round and of the first with stored labels."""
    kinds, body = ["auroc_weight", "auroc_confidence"], []
    rows = mutual_lines().dropna(subset=kinds)
    for (data, n, m), group in rows.groupby(["data", "labels", "method"], sort=False):
        aurocs = group[[*kinds, *(f"first_{k}" for k in kinds)]].mean()
        cells = ["–" if math.isnan(v) else f"{v:.3f}" for v in aurocs]
        body.append((data, n, [f"{data}, {n}", MUTUAL[m], f"{100 * group.wrong.mean():.0f} %", *cells]))
    header = ["data, labelled", "method", "wrong labels", "weight", "confidence"]
    header += ["weight, first round", "confidence, first round"]
    return grid(header, [line for *_, line in sorted(body, key=lambda b: b[:2])])


# Studies: wrong labels

HUMAN = ("aggregate", "random1", "worst")
BASELINES = {"labels, light penalty": "a light penalty", "labels": "a tuned one"}
MUCH = ("symmetric 40", "symmetric 60", "symmetric 80", "leaning 40", "next_class 40", "worst")
"""Noise of 40 % and more."""
HOPELESS = ("ag_news", "symmetric 80")
"""Of four classes the right label is then the rarest."""


def told(noise: str) -> str:
    """A setting of the noise study in words."""
    return noise.replace("_", " ") + ("" if noise in HUMAN else " %")


def noise(data: str, human: bool = False) -> str:
    rows = lines("noise")
    rows = rows[rows.data == data]
    seconds = rows.groupby("method", sort=False).cpu_seconds.median()
    others = {m: m.replace("_", " ") for m in seconds.index if m not in DISTILLED}
    rows = rows[rows.noise.isin(HUMAN) == human]
    seeds = rows.groupby("noise", sort=False).seed.nunique()
    names = {m: n for m, n in (DISTILLED | others).items() if m in set(rows.method)}
    body = cross(rows, "test", names, "noise", seeds.index, mean)
    header = ["", *(f"{told(s)} ({n})" for s, n in seeds.items()), "seconds"]
    return grid(header, [[*line, f"{s:.1f}"] for line, s in zip(body, seconds[[*names]], strict=True)])


def noise_settings() -> Iterable[tuple[str, str, pd.DataFrame]]:
    """Data set, noise and lines of each setting."""
    return ((d, n, group) for (d, n), group in lines("noise").groupby(["data", "noise"], sort=False))


def noise_target() -> str:
    """What is chosen by evidence, and two-hot, against labels as given, paired by seed; and what clean labels gain."""
    body, clean = [], {}
    for data, noise, group in noise_settings():
        tuned, chosen = (group[group.method == m] for m in ("labels", "auto"))
        clean.setdefault(data, tuned.test.mean())  # the first setting is that without noise
        changes = [points(paired(group, "test", m, base), "+") for m in ("auto", "two_hot") for base in BASELINES]
        room = "–" if noise in HUMAN else f"{100 * (clean[data] - tuned.test.mean()):+.1f}".replace("-", "−")
        kinds = chosen.chosen.map(lambda c: c["kind"].replace("_", "-")).value_counts()
        taken = ", ".join(f"{k} {n}" for k, n in kinds.items())
        body.append([f"{DATA[data]}, {told(noise)}", *changes, room, taken])
    header = ["", "chosen − light", "chosen − tuned", "two-hot − light", "two-hot − tuned", "clean labels − tuned"]
    return grid([*header, "what was chosen, seeds"], body)


def noise_verdict() -> str:
    """How often the target is met: 5 points above labels as given at 40 % and more, half a point below at 0 %."""
    body = []
    names = {"auto": "chosen by evidence", "rounds": "rounds chosen by evidence", "two_hot": "two-hot, closed form"}
    for better, worse in ((b, w) for b in names for w in BASELINES):
        gains = {(d, n): 100 * paired(group, "test", better, worse).mean() for d, n, group in noise_settings()}
        much = pd.Series([g for (d, n), g in gains.items() if n in MUCH and (d, n) != HOPELESS]).dropna()
        none = pd.Series([g for (_, n), g in gains.items() if n == "symmetric 0"]).dropna()
        shown = [interval(v, math.nan, "+") for v in (much.min(), much.median(), none.min())]
        body.append([f"{names[better]}, against {BASELINES[worse]}", f"{(much >= 5).sum()} of {len(much)}", *shown])
    header = ["", "5 points above at 40 % and more, settings", "least gain there", "median gain there"]
    return grid([*header, "least gain at 0 %"], body)


def noise_rounds(shown: Sequence[int] = (1, 2, 3, 5, 10)) -> str:
    """Test accuracy by rounds, each number of rounds with the penalty that is best for it."""
    body = []
    for data, noise, group in noise_settings():
        each = pd.DataFrame(group[group.method == "rounds"].rounds.tolist())
        taken = ", ".join(str(c["rounds"]) for c in group[group.method == "rounds"].chosen)
        body.append([f"{DATA[data]}, {told(noise)}", *(mean(each[t - 1]) for t in shown), taken])
    return grid(["rounds", *map(str, shown), "best on held-out labels, by seed"], body)


def noise_memorised() -> str:
    """Training rows with a wrong label: how many are predicted rightly, and how many as they are labelled."""
    cases = [("cifar10", "worst")]
    cases += [(d, n) for d in ("cifar10", "fashion", "ag_news") for n in ("symmetric 40", "next_class 40")]
    by = dict(list(lines("noise").groupby(["method", "data", "noise"])))
    body = [
        [name, *(f"{mean(by[m, *case].seen_wrong)} / {mean(by[m, *case].memorised)}" for case in cases)]
        for m, name in DISTILLED.items()
    ]
    return grid(["right / memorised, %", *(f"{DATA[d]}, {n.replace('_', ' ')}" for d, n in cases)], body)


def noise_equalities() -> str:
    rows = [[name, f"{e:.0e}".replace("-", "−")] for name, e in held("noise_theory")["equalities"].items()]
    return grid(["the same numbers two ways", "largest difference"], rows)


def noise_two_hot() -> str:
    rows = []
    for r in held("noise_theory")["two_hot"]:
        one, ten = r["rounds 1 and 10"]
        rows.append(r | {"one": one, "ten": ten, "first": r["first round"] or "never"})
    return listed("two_hot", rows)


def noise_curves(shown: Sequence[int] = (1, 2, 3, 5, 10, 20, 50)) -> str:
    """Accuracy on new rows, and on training rows that are wrongly labelled."""
    body = []
    for r in held("noise_theory")["curves"]:
        both = (f"{100 * a:.1f} / {100 * b:.1f}" for a, b in zip(r["test"], r["seen_wrong"], strict=True))
        by = dict(zip(r["rounds"], both, strict=True))
        name = [r["noise"], r["student"].replace("_", "-"), f"{r['weight_decay']:g}"]
        body.append([*name, *(by.get(t, "–") for t in shown)])
    return grid(["noise", "student", "penalty", *map(str, shown)], body)


def audits() -> Iterable[tuple[str, pd.DataFrame, dict[str, pd.DataFrame]]]:
    """Name, lines, and lines by method of each setting."""
    for (data, kind), group in lines("audit").groupby(["data", "noise"], sort=False):
        yield f"{DATA[data]}, {kind}", group, dict(list(group.groupby("method")))


def audit_ranking() -> str:
    """Average precision of rankings by setting."""
    body = []
    for name, group, by in audits():
        heads = [f"{name} ({group.seed.nunique()})", f"{100 * group.wrong.mean():.0f} %"]
        body.append([*heads, *(points(by[m].average_precision) for m in AUDITS)])
    return grid(["", "wrong", *AUDITS.values()], body)


def audit_flags() -> str:
    """Precision and recall of what is taken to be wrong."""
    takers = [m for m in AUDITS if lines("audit")[lines("audit").method == m].listed.notna().any()]
    body = [[name, *(f"{mean(by[m].precision)} / {mean(by[m].recall)}" for m in takers)] for name, _, by in audits()]
    return grid(["precision / recall, %", *(AUDITS[m] for m in takers)], body)


def audit_expected() -> str:
    """Labels more likely wrong than right in all audits of a data set: expected to be wrong, and found to be."""
    audited = lines("audit_calibration")
    sums = audited[audited.noise != "fitted"].groupby("data", sort=False).sum(numeric_only=True).round().astype(int)
    body = [
        [
            (DATA | WORDS["audited"])[name],
            f"{s.wrong:,}",
            *(f"{s[f'{p}_{c}']:,}" for p in ("raw", "calibrated") for c in AUDIT_COLUMNS),
        ]
        for name, s in sums.iterrows()
    ]
    heads = [f"{c}, {p}" for p in ("Bayes' rule alone", "calibrated") for c in AUDIT_COLUMNS]
    return grid(["all audits of", "wrong", *heads], body)


def partial_forms() -> str:
    """Partial-label losses of a network on digits, by the share of wrong labels."""
    found = pd.DataFrame(held("partial_forms")).explode("accuracy").astype({"accuracy": float})
    body = cross(found, "accuracy", {m: m for m in found.method.unique()}, "rate", found.rate.unique())
    return grid(["", *(f"{100 * r:.0f} % wrong" for r in found.rate.unique())], body)


# Speed and memory


def cost() -> str:
    rows = [{"name": name.replace("_", " "), "all": "", **f} for name, f in held("step_time").items()]
    for name, f in held("feature_pass").items():
        each = f["times as fast, each block"]
        span = {"lower_quartile": min(each), "upper_quartile": max(each), "all": " (all blocks)"}
        said = f"feature pass, {name}: plain loop over ours"
        rows.append({"name": said, "median": f["times as fast, median"], **span})
    return listed("cost", rows)


def graph_scale() -> str:
    """What propagation over a large graph costs."""
    found = held("graph_scale")
    rows = [
        r | {"peak": r["peak_mb"] / 1024, "above": r["above_rows_mb"] / 1024, "right": 100 * r["accuracy"]}
        for r in rows_of(found)
    ]
    share = 100 * found["recall of the ten nearest"]
    said = (
        f"{found['rows']:,} rows of {found['features']} features, {found['labels']} labels; of the ten nearest rows "
        f"the search finds {share:.1f} %. scikit-learn's kernel on the same rows: {found['scikit-learn, kernel']}."
    )
    return f"{listed('graph_scale', rows)}\n\n{said} Poisson learning finds the graph made."


# What encoders, adapting and ways of using a teacher are worth to the labels only


def worth(rows: pd.DataFrame, usual: str) -> str:
    """Mean scores by name, number of labels and data set; the gain over ``usual``, and its spread between the sets."""
    scores = rows.groupby(["name", "labels", "data"], sort=False).score.mean().unstack("data").dropna(axis="columns")
    body = []
    for name, labels in sorted(scores.index, key=lambda at: (at[1], at[0] != usual)):
        found, gain = scores.loc[name, labels], scores.loc[name, labels] - scores.loc[usual, labels]
        over = f"{100 * gain.mean():+.1f} ± {100 * gain.std():.1f}" if name != usual else ""
        body.append([str(labels), name, *(f"{100 * score:.1f}" for score in found), over])
    return grid(["labels a class", "", *(DATA.get(data, data) for data in scores), "gain, ± between sets"], body)


def worth_of_encoders() -> str:
    return worth(lines("encoders").rename(columns={"encoder": "name"}), "minilm")


def adapted_against_frozen(encoder: str) -> str:
    """What adapting an encoder is worth, on the data sets, draws and numbers of labels that it was adapted on."""
    frozen, adapted = (rows[rows.encoder == encoder] for rows in (lines("encoders"), lines("adapting")))
    whole = adapted.groupby("data").size() == adapted.groupby("data").size().max()
    adapted = adapted[adapted.data.isin(whole[whole].index)]
    keys = ["data", "labels", "seed"]
    frozen = frozen.merge(adapted[keys], on=keys)
    return worth(pd.concat([frozen.assign(name="frozen"), adapted.assign(name="adapted")]), "frozen")


def worth_of_adapting() -> str:
    return adapted_against_frozen("minilm")


def worth_of_adapting_mpnet() -> str:
    return adapted_against_frozen("mpnet")


def worth_of_teachers() -> str:
    keys = ["data", "labels", "seed"]
    return worth(lines("teachers").melt(keys, var_name="name", value_name="score"), "labels only")


def many_classes() -> str:
    forms = {"trec, fine": "TREC, fine classes", "made": "made: three ways of speaking of 50 things"}
    header = ["set", "classes", "labels", "encoder", "accuracy", "CPU seconds, all folds", "memory, MB"]
    return grid(
        header,
        [
            [forms[row.data], str(row.classes), str(row.labelled), row.adapt, f"{100 * row.score:.1f}",
             f"{row.cpu_seconds:.0f}", f"{row.peak_mb:,}"]
            for row in lines("many_classes").itertuples()
        ],
    )  # fmt: skip


def penalty() -> str:
    """Networks on features as usual, and with the weight decay and scaling that were best on a set's other draws."""
    rows, body = lines("penalty"), []
    for (method, data), group in rows.groupby(["method", "data"], sort=False):
        wide = group.pivot_table(index=["decay", "scaling"], columns="seed", values="score")
        usual = wide.loc[(1.0, "as usual")]
        chosen = pd.Series({s: wide.loc[wide.drop(columns=s).mean(axis=1).idxmax(), s] for s in wide})
        body.append([NAMES[method], data, usual.mean(), chosen.mean(), (chosen - usual).mean()])
    found = pd.DataFrame(body, columns=["method", "data", "usual", "chosen", "gain"])
    over_sets = found.groupby("method", sort=False)[["usual", "chosen", "gain"]].mean().reset_index()
    return grid(
        ["", "data set", "as usual", "chosen by the other draws", "gain"],
        [
            [row.method, DATA.get(row.data, row.data), f"{100 * row.usual:.1f}", f"{100 * row.chosen:.1f}",
             f"{100 * row.gain:+.1f}"]
            for row in pd.concat([found, over_sets.assign(data="mean")]).itertuples()
        ],
    )  # fmt: skip


def faulty_files() -> str:
    """A line for each kind of data: how many faulty inputs were read, and how many refused."""
    found = held("faulty_files")
    lines = [*found["kinds"].items(), ("together", found)]
    body = [
        [kind, *(f"{of[name]:,}" for name in ("inputs", "read", "said", "refused")), f"{of['cpu_seconds']:.0f}"]
        for kind, of in lines
    ]
    return grid(["kind", "inputs", "read", "of these with a word", "refused", "CPU s"], body)


# Whole fits, and the models that these might have returned

WAYS = {
    "labels only": "labels only",
    "teacher alone": "the teacher alone, which learns nothing",
    "the teacher alone": "the teacher alone, distilled",
    "drift without the teacher": "DRIFT without the teacher",
    "drift after the teacher, labels looked at": "DRIFT after the teacher, clean labels looked at",
    "drift after the teacher, labels beside": "DRIFT after the teacher, clean labels beside",
    "single": "the single best by the folds",
    "returned": "**returned**",
}


def ways(name: str, fit: str) -> pd.DataFrame:
    """Scores of a whole fit and of the models that it might have returned: setting, data, seed, name and score."""
    found = []
    for row in recorded(name)[1]:
        key = {k: row[k] for k in ("setting", "data", "seed")}
        if row["method"] != fit:
            found.append(key | {"name": row["method"], "score": row["score"]})
            continue
        scores = (
            dict(row["paths"])
            | {"returned": row["score"]}
            | ({"labels only": row["reference"]} if row["labelled"] else {})
        )
        if row["models"]:
            scores["single"] = row["paths"][max(row["models"], key=lambda says: row["models"][says][1])]
        found += [key | {"name": says, "score": score} for says, score in scores.items()]
    return pd.DataFrame(found)


def compared_ways(name: str, fit: str) -> str:
    """A line for each setting and model: means over the seeds, and the gain of what is returned over it."""
    rows, body = ways(name, fit), []
    sets = list(dict.fromkeys(rows.data))
    for setting, of in rows.groupby("setting", sort=False):
        wide = of.pivot_table(index=["data", "seed"], columns="name", values="score")
        if "returned" not in wide:
            continue
        wide = wide[wide.returned.notna()]
        for says, shown in WAYS.items():
            if says not in wide or wide[says].isna().any():
                continue
            by_set, over = wide[says].groupby("data").mean(), wide.returned - wide[says]
            cells = [f"{100 * by_set[data]:.1f}" if data in by_set else "–" for data in sets]
            gain = points(over.groupby("seed").mean(), "+") if says != "returned" else ""
            body.append([setting, shown, *cells, f"{100 * by_set.mean():.1f}", gain])
    return grid(["", "", *(DATA.get(data, data) for data in sets), "mean", "returned, over this"], body)


def taught() -> pd.DataFrame:
    """Scores of teacher.toml in points: rows are (data, setting, seed), columns are the learners."""
    found = []
    for row in recorded("teacher")[1]:
        key = {k: row[k] for k in ("data", "setting", "seed")}
        found.append(key | {"name": row["method"].removesuffix(", taught"), "score": 100 * row["score"]})
        if row["method"] == "drift, taught" and row["labelled"]:
            found.append(key | {"name": BASELINE, "score": 100 * row["reference"]})
    wide = pd.DataFrame(found).pivot_table(index=["data", "setting", "seed"], columns="name", values="score")
    return wide.reindex(sorted(wide.index, key=lambda key: int(key[1].split()[0])))


def taught_methods() -> str:
    """A line for each learner: means over sets and draws by the labels, and how often it is clearly below."""
    wide = taught()
    settings = list(dict.fromkeys(wide.index.get_level_values("setting")))
    body = []
    for name in wide.mean().sort_values(ascending=False).index:
        own = wide[name].dropna()
        by = own.groupby(level=["setting", "data"]).mean().groupby("setting").mean()
        below = [_clearly_below(wide, name, other) for other in (TEACHER, BASELINE)]
        cells = [f"{by[of]:.1f}" if of in by else "–" for of in settings]
        body.append([name, *cells, *map(str, below)])
    return grid(["", *settings, "columns clearly below the teacher", "below labels only"], body)


def _clearly_below(wide: pd.DataFrame, name: str, other: str) -> int:
    """Number of columns (data, setting) on which a learner is below another one by more than the 90 % interval."""
    over = (wide[name] - wide[other]).dropna().groupby(level=["data", "setting"])
    return int((over.mean() + over.agg(summary.half_width) < 0).sum())


def taught_auto() -> str:
    """A line for each column: labels only, teacher, `auto`, the best in the other draws, the ceiling."""
    wide, body, over = taught(), [], []
    most = pd.DataFrame(recorded("teacher_ceiling")[1]).groupby("data").score.mean()
    for (data, setting), of in wide.groupby(level=["data", "setting"], sort=False):
        own = of.droplevel(["data", "setting"]).dropna(axis=1, how="all")
        rivals = own.drop(columns=CHOOSER)
        chosen = {seed: str(rivals.drop(index=seed).mean().idxmax()) for seed in own.index}
        distance = own[CHOOSER] - pd.Series({seed: rivals.loc[seed, name] for seed, name in chosen.items()})
        over.append(float(distance.mean()))
        mostly = pd.Series(chosen).mode()[0]
        cells = [f"{own[name].mean():.1f}" if name in own else "–" for name in (BASELINE, TEACHER, CHOOSER)]
        body.append(
            [DATA.get(data, data), setting.split()[0], *cells, f"{mostly} {rivals[mostly].mean():.1f}",
             points(distance / 100, "+"), f"{100 * most[data]:.1f}"]
        )  # fmt: skip
    order = list(dict.fromkeys(line[0] for line in body))
    body.sort(key=lambda line: (order.index(line[0]), int(line[1])))
    header = ["", "labels a class", BASELINE, TEACHER, CHOOSER, "best in the other draws", "`auto` − it", "all"]
    return grid(header, body) + f"\n\nIn the mean over the columns `auto` is {sum(over) / len(over):+.1f} from it."


def mpnet_described() -> str:
    """A line for each set: DRIFT on mpnet's features after a sentence a class, beside labels only on MiniLM's."""
    found = pd.DataFrame(recorded("sources")[1])
    body = []
    for (data, setting), of in found.groupby(["data", "setting"], sort=False):
        wide = of.pivot_table(index="seed", columns="method", values="score")
        fit = wide["drift, mpnet, described"].dropna()
        labels = wide["labels only"] if "labels only" in wide else pd.Series(dtype=float)
        body.append([DATA.get(data, data), setting, mean(labels), points(fit), str(len(fit))])
    return grid(["", "a class", "labels only, MiniLM", "DRIFT, mpnet, a sentence a class", "draws"], body)


def all_sources() -> str:
    """A line for each set: labels only, `auto` with all sources, and the path that was best in the other draws.

    A path that a draw did not train, since adapting was judged not worth it there, has no score in that draw.
    """
    auto, body, over = "auto, all sources", [], []
    found = pd.DataFrame([row for row in recorded("sources")[1] if row["setting"] == "10 labels"])
    for data, of in found.groupby("data", sort=False):
        at = {name: rows.set_index("seed") for name, rows in of.groupby("method")}
        own, labels = at[auto].score, at["labels only"].score
        paths = pd.DataFrame(at[auto].paths.to_dict()).T.assign(**{"labels only": labels})
        chosen = {seed: str(paths.drop(index=seed).mean().idxmax()) for seed in paths.index}
        best = pd.Series({seed: paths.loc[seed, path] for seed, path in chosen.items()}).dropna()
        over.append({"gain": (own - labels).mean(), "distance": (own - best).mean()})
        mostly = pd.Series(chosen).mode()[0]
        body.append([
            DATA.get(data, data), mean(labels), points(own), points(own - labels, "+"), mostly, mean(best),
            points((own - best).dropna(), "+"), str(len(best)),
        ])  # fmt: skip
    sets = pd.DataFrame(over)
    body.append(["mean, ± between sets", "", "", points(sets.gain, "+"), "", "", points(sets.distance, "+"), ""])
    head = ["", "labels only, MiniLM", "auto", "gain", "best path of the other draws, mostly", "its score"]
    return grid([*head, "auto over it", "draws"], body)


def adapted_beside_setfit() -> str:
    """A line for each set: labels only on the frozen and on the adapted encoder, and setfit, with their seconds.

    Seconds are of the draws in which the run had a core to itself, so that its time was its processor's.
    """
    own, peer = "labels only, adapted", "setfit: setfit (labels only)"
    found = pd.DataFrame([row for row in recorded("adapted")[1] if row.get("score") is not None])
    body, gains, ratios = [], [], []
    for (data, setting), of in found.groupby(["data", "setting"], sort=False):
        at = {name: rows.set_index("seed") for name, rows in of.groupby("method")}
        both = at[own].merge(at[peer], on="seed", suffixes=("", "_peer"))
        alone = both[both.cpu_seconds > 0.9 * both.seconds]
        gain, ratio = both.score - both.score_peer, (alone.seconds / alone.seconds_peer).median()
        gains.append(gain.mean())
        ratios.append(ratio)
        body.append([
            DATA.get(data, data), setting, str(len(both)), mean(at["labels only"].score), mean(both.score),
            mean(both.score_peer), points(gain, "+"), f"{alone.seconds.median():.0f}",
            f"{alone.seconds_peer.median():.0f}", f"{ratio:.2f}",
        ])  # fmt: skip
    line = [
        "mean, ± between lines",
        *[""] * 5,
        points(pd.Series(gains), "+"),
        "",
        "",
        f"{pd.Series(ratios).mean():.2f}",
    ]
    head = ["", "a class", "draws", "labels only", "adapted", "setfit", "gain over it", "seconds", "setfit's", "ratio"]
    return grid(head, [*body, line])


# Teachers that are paid


def gate_trials() -> str:
    """What becomes of scripted annotators at the gate."""
    head = [
        "rows", "wrong answers", "interval of the accuracy holds it", "interval of kappa holds it",
        "true kappa of each label", "passes", "passes clearly",
    ]  # fmt: skip
    body = []
    for row in held("gate")["trials"]:
        body.append([str(row["rows"]), f"{100 * row['wrong']:.0f} %"])
        body[-1] += [f"{100 * row[name]:.1f} %" for name in ("accuracy holds", "kappa holds")]
        body[-1].append(", ".join(f"{k:.2f}" for k in row["true kappas"]))
        body[-1] += [", ".join(f"{100 * v:.0f} %" for v in row[name]) for name in ("passes", "passes clearly")]
    return grid(head, body)


def gate_sight() -> str:
    """Kappas of the comments of SIGHT, by label."""

    def said(found: Mapping[str, Any]) -> str:
        return f"{found['kappa']:.2f} ({found['low']:.2f} to {found['high']:.2f})"

    body = []
    for label, found in held("gate")["sight"]["labels"].items():
        prompts = sorted(found["prompts"].items(), key=lambda each: each[1]["kappa"])
        (first, least), (last, best) = prompts[0], prompts[-1]
        middle = median([each["kappa"] for _, each in prompts])
        body.append([
            label.replace("_", " "), " and ".join(map(str, found["said by people"])), said(found["people"]),
            str(len(prompts)), f"{first}: {said(least)}", f"{middle:.2f}", f"{last}: {said(best)}",
        ])  # fmt: skip
    head = ["label", "said by each", "the two people", "prompts", "people and model: worst", "median", "best"]
    return grid(head, body)


def paid_teacher() -> str:
    """Gains by asking a paid teacher, by selector."""
    rows = pd.DataFrame(held("paid_teacher")["summary"]).astype({"half": float})
    counts = sorted(rows["asked"].unique())
    head = ["the paid teacher errs", "selector", *(f"{count} questions" for count in counts)]
    head += [f"points per 1,000 questions, at {counts[-1]}", f"answers that are right, at {counts[-1]}"]
    body = []
    for (how, wrong, by), part in rows.groupby(["how", "wrong", "by"], sort=False):
        at = part.set_index("asked")
        gains = [interval(at.loc[c, "gain"], at.loc[c, "half"], "+") for c in counts]
        last = at.loc[counts[-1]]
        errs = f"{100 * wrong:.0f} %, {'as often everywhere' if how == 'even' else 'where rows are hard'}"
        body.append([errs, by, *gains, f"{last['per thousand']:+.1f}", f"{100 * last['right']:.0f} %"])
    return grid(head, body)


# Probabilities that can be believed

STATED = ("0.02", "0.05", "0.1")
RULES = {
    "conformal": "conformal p-values with Benjamini-Hochberg (Jin and Candès, JMLR 2023)",
    "counting": "(1 + wrong) / (1 + labels above t)",
    "tested": "**tested thresholds, 80 %**",
}


def believed() -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Labels a class, name of the data set or "all", and what was measured of the labels-only model."""
    for labels in ("10", "30"):
        for data, found in held("believed")[f"labels only, {labels} labels a class"].items():
            yield labels, data, found


def believed_calibration() -> str:
    header = ["labels a class", "set", "draws", "T"]
    header += [f"{name}, {at}" for name in ("calibration error", "log-loss", "Brier") for at in ("before", "after")]
    header += ["draws with a lower error after"]
    body = []
    for labels, data, found in believed():
        before, after = found["before"], found["after"]
        pairs = [f"{100 * of['error']:.1f}" for of in (before, after)]
        pairs += [f"{of[name]:.3f}" for name in ("log_loss", "brier") for of in (before, after)]
        lower = f"{100 * found['draws with a lower calibration error after']:.0f} %"
        body.append([labels, data, str(found["draws"]), f"{found['temperature']:.2f}", *pairs, lower])
    return grid(header, body)


def answered(found: Mapping[str, Any], draws: bool = True) -> str:
    """Error among answered rows over all draws, and over those that answer; the rows, and draws, that are answered."""
    if not found["draws that answer"]:
        return "none"
    shares = [found["rows answered"], *([found["draws that answer"]] if draws else [])]
    said = ", ".join(f"{100 * share:.0f} %" for share in shares)
    return f"{100 * found['error']:.1f} ({100 * found['error where it answers']:.1f}), {said}"


def believed_answers() -> str:
    body = [[labels, data, *(answered(found["tested"][at]) for at in STATED)] for labels, data, found in believed()]
    return grid(["labels a class", "set", *(f"stated {100 * float(at):g} %" for at in STATED)], body)


def believed_rules() -> str:
    of_all = {labels: found for labels, data, found in believed() if data == "all"}
    columns = [(labels, at) for labels in of_all for at in STATED[1:]]
    body = [[says, *(answered(of_all[labels][rule][at], draws=False) for labels, at in columns)]
            for rule, says in RULES.items()]  # fmt: skip
    return grid(["rule", *(f"{labels} labels a class, stated {100 * float(at):g} %" for labels, at in columns)], body)


# Copies


def copied_labels() -> str:
    """A line for each kind and number of copies, and for all kinds together: how often the interval holds one half."""
    body = []
    found = lines("copied_labels")
    names = ["held", "width", "score", "leaking"]
    for copies, of in [*found.groupby("copies", sort=True), ("all", found)]:
        parts = [(kind, how, part) for (kind, how), part in of.groupby(["kind", "how"], sort=False)]
        for kind, how, part in [*(parts if copies != "all" else []), ("all", "", of)]:
            mean = part[names].mean()
            leaking = f"{100 * mean.leaking:.1f}" if copies not in (0, "all") else ""
            body.append([
                str(copies), kind, how if copies else "", str(part.draws.sum()), f"{100 * mean.held:.1f} %",
                f"{100 * mean.width:.0f}", f"{100 * mean.score:.1f}", leaking,
            ])  # fmt: skip
    head = ["copies of a row", "kind", "how", "draws", "interval holds 50 %", "its width", "held-out accuracy"]
    return grid([*head, "it would have read"], body)


# Fits with a pool


def decided(part: str) -> str:
    """A line for each way to answer, and to decide what is returned, of the fits of one part."""
    found, body = held("pool_evidence")[part], []
    for way, row in found.items():
        if not isinstance(row, dict) or "fits" not in row:
            continue
        covered = row.get("coverage of the change")
        body.append([
            way, f"{row['mean returned']:+.2f}", f"{row['harm kept']} of {row['harmful']}", str(row["harm new"]),
            f"{row['gain thrown away']} of {row['gainful']}", f"{row['worst returned']:+.1f}",
            "" if covered is None else f"{100 * covered:.0f} %",
        ])  # fmt: skip
    head = ["what is returned", "gain, points", "harm kept", "harm new", "gain thrown away", "worst"]
    return grid([*head, "interval of the change holds it"], body)


def pool_looks() -> str:
    """A line for each look at the pool: how far what it lets expect is off, and what decisions by it bring."""
    found, body = held("pool_evidence")["texts"], []
    for look, row in found["looks, student"].items():
        returned = found["looks, returned"][look]
        body.append([
            look, f"{row['off by']:.2f}", f"{row['mean returned']:+.2f}", f"{row['harm kept']} of {row['harmful']}",
            f"{returned['off by']:.2f}", f"{returned['mean returned']:+.2f}",
        ])  # fmt: skip
    head = ["look", "the student's change: off by", "gain", "harm kept", "what both bring: off by", "gain"]
    return grid(head, body)


# Files of other tools

FORM = re.compile(r"[,(:]| (?:with|in|of|alone|after|beside)\b")
"""Pattern of what ends the name of a form."""
OF_KIND = ("texts", "sentences", "images", "masks", "rows")


def formats() -> str:
    """A line for each tool, with the forms that are read by kind, and those that are refused."""
    by_tool: dict[str, list[dict[str, Any]]] = {}
    for row in held("formats"):
        by_tool.setdefault(f"{row['tool']} {row['version']}".strip(), []).append(row)
    body = []
    for tool, rows in by_tool.items():
        cells = [forms([r for r in rows if r["kind"] == kind and r["reading"] != "refused"]) for kind in OF_KIND]
        refused = {FORM.split(r["form"])[0] for r in rows if r["reading"] == "refused"}
        also = {FORM.split(r["form"])[0] for r in rows if r["reading"] == "read"}
        body.append([tool, *cells, ", ".join(sorted(refused - also, key=str.casefold))])
    return grid(["tool", *OF_KIND, "not read; the way out is said"], body)


def forms(rows: Sequence[Mapping[str, Any]]) -> str:
    """Names of forms, each with the mark of what the tool reads again, or of a question."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(FORM.split(row["form"])[0], []).append(row)
    again = {name for name, each in by_name.items() if any(row["taken"] for row in each)}
    asked = {name for name, each in by_name.items() if all(row["reading"] == "asked" for row in each)}
    return ", ".join(name + " ⇄" * (name in again) + " ?" * (name in asked) for name in by_name)


ENGINES = {
    "one": "one",
    "processes, 1": "processes, 1 worker",
    "processes, 2": "processes, 2 workers",
    "ray, 1": "ray, 1 worker",
}
FORMS = ("texts", "texts, int8", "rows, csv", "rows, parquet")
HARDWARE: dict[str, tuple[int, str]] = {
    "2 cores": (2, "processes, 2"), "16 cores": (16, "processes, 2"), "64 cores": (64, "processes, 2"),
    "10 machines of 64 cores": (640, "ray, 1"),
}  # fmt: skip


def fed(form: str, engine: str) -> float:
    """Rows that the first process passes on in a CPU second; it copies bytes, so texts are as many bytes as csv rows.

    Texts are measured in small blocks, of which each costs the first process more than the bytes in it.
    """
    found, row = held("engines"), held("engines")[form][engine]
    if engine == "one" or not form.startswith("texts"):
        return float(row["rows_a_second_of_the_first_process"])
    like = found["rows, csv"].get(engine, found["rows, csv"]["processes, 2"])
    size = (like["bytes_in"] + like["bytes_out"]) / (row["bytes_in"] + row["bytes_out"])
    return float(like["rows_a_second_of_the_first_process"] * size)


def engines() -> str:
    """What each engine costs: rows a CPU second, rows a CPU second of the first process, and the start."""
    head = ["items", "engine", "rows a CPU second", "of the first process", "start, CPU seconds"]
    body = []
    for form in FORMS:
        for engine, row in held("engines")[form].items():
            speeds = row["rows_a_cpu_second"], fed(form, engine)
            start = "–" if engine == "one" else f"{row['start_cpu_seconds']:.1f}"
            body.append([form, ENGINES[engine], *(f"{v:,.0f}" for v in speeds), start])
    return grid(head, body)


def hours(form: str, rows: float, cores: int, engine: str) -> tuple[float, bool]:
    """Hours that rows take, and whether they wait for the first process; those of processes where Ray has no number."""
    found = held("engines")[form]
    known = engine if engine in found else "processes, 2"
    workers = (cores - engine.startswith("ray")) * found[known]["rows_a_cpu_second"]
    return rows / min(workers, fed(form, known)) / 3600, workers > fed(form, known)


def annotators() -> str:
    """What language models of this machine say of texts, what it costs, and how often an order in a text sways them."""
    return listed("annotators", [row | {"set": DATA[row["data"]]} for row in held("annotators")["rows"]])


def from_nothing() -> str:
    """A line for each set and number of labels: labels only, the language model alone, and the student."""
    found, body = lines("from_nothing").sort_values(["data", "labels"], kind="stable"), []
    for (data, labels), of in found.groupby(["data", "labels"], sort=False):
        alone = of["returned"] - of["alone"]
        over = of["returned"] - of["labels only"].astype(float)
        body.append(
            [DATA[data], str(labels), mean(of["labels only"].astype(float)), mean(of.alone), points(of.returned),
             points(alone, "+"), points(over, "+"), str(len(of))]
        )  # fmt: skip
    header = [
        "",
        "labels a class",
        BASELINE,
        "the language model alone",
        "the student",
        "over the model",
        "over labels",
    ]
    return grid([*header, "draws"], body)


def scale_hours() -> str:
    """Hours that 10^7 and 10^9 rows take on some hardware; with a star where the first process is waited for."""
    body = []
    for form in FORMS:
        for rows in (1e7, 1e9):
            each = [hours(form, rows, *of) for of in HARDWARE.values()]
            body.append([form, f"{rows:,.0f}", *(f"{h:,.{2 if h < 10 else 0}f}{' *' * fed}" for h, fed in each)])
    return grid(["items", "rows", *HARDWARE], body)


def scale_disk() -> str:
    """Gigabytes of disk that 10^7 and 10^9 rows take: input, output, and the parts before they are joined."""
    body = []
    for form in FORMS:
        row = held("engines")[form]["one"]
        for rows in (1e7, 1e9):
            size = [row["bytes_in"] * rows / 1e9, row["bytes_out"] * rows / 1e9, 2 * row["bytes_out"] * rows / 1e9]
            body.append([form, f"{rows:,.0f}", *(f"{gigabytes:,.1f}" for gigabytes in size)])
    return grid(["items", "rows", "input, GB", "output, GB", "at most while it is joined, GB"], body)


def ledger_costs() -> str:
    """What the ledger of pseudo-labels costs: CPU seconds of fits without it, and how much more they are with it."""
    head = ["fit", "CPU seconds without", "more, seconds", "more, %", "quartiles, %"]
    body = [
        [what, f"{row['without_seconds']:.2f}", f"{row['more_seconds']:+.3f}", f"{100 * row['more']:+.1f}",
         f"{100 * row['lower']:+.1f} to {100 * row['upper']:+.1f}"]
        for what, row in held("ledger")["pairs"].items()
    ]  # fmt: skip
    return grid(head, body)


def ledger_sizes() -> str:
    """How large the ledger of a large pool is, and how long it takes."""
    head = ["method", "rows of the pool", "rows of the ledger", "ledger, MB", "places, MB", "looking, s", "writing, s"]
    head += ["`why`, s"]
    body = [
        [name, f"{row['rows']:,}", f"{row['ledger_rows']:,}", f"{row['ledger_bytes'] / 1e6:.2f}",
         f"{row['places_bytes'] / 1e6:.2f}", *(f"{row[f'{n}_seconds']:.2f}" for n in ("looking", "writing", "story"))]
        for name, row in held("ledger")["many"].items()
    ]  # fmt: skip
    return grid(head, body)


def serve() -> str:
    """What `tutelage serve` answers a second, and how long a request takes, beside a loop of `predict_proba`."""
    head = ["items", "way", "asked by", "rows a second", "rows a CPU second", "p50, ms", "p99, ms"]
    numbers = ("rows_a_second", "rows_a_cpu_second", "p50_ms", "p99_ms")
    rows = held("serve")["speed"]
    return grid(head, [[row["items"], row["way"], row["of"], *(f"{row[n]:,.1f}" for n in numbers)] for row in rows])


def serve_held() -> str:
    """What the service held: the same answers, malformed requests, models swapped under load, an end with requests."""
    found = held("serve")
    swap, stop = found["swap"], found["stop"]
    body = [
        [f"largest difference to predict_proba, {form}", f"{value:.1e}"] for form, value in found["apart"].items()
    ]  # fmt: skip
    for form, of in found["malformed"].items():
        each = ", ".join(f"{count:,} of status {status}" for status, count in of["statuses"].items())
        says = f"{each}; {of['lost']} without an answer; the slowest took {of['slowest_seconds']:.1f} s"
        body.append([f"{of['bodies']:,} malformed requests, {form}", says])
    body += [
        [f"{swap['swaps']} models swapped, {swap['damaged_runs_refused']} damaged ones refused",
         f"{swap['requests']:,} requests answered meanwhile, {swap['errors']} not"],
        [f"SIGTERM with {stop['in_flight']} requests in flight",
         f"{stop['answered']} answered, {stop['others'] + stop['lost']} not, code {stop['code']}"],
    ]  # fmt: skip
    return grid(["what", "measured"], body)


def federated() -> str:
    """Accuracy of each arm on clients of each set."""
    arms, by = WORDS["federated"], dict(list(lines("federated").groupby("data", sort=False)))
    return grid(["", *by], [[says, *(points(rows[arm]) for rows in by.values())] for arm, says in arms.items()])


def federated_claim() -> str:
    """What FedLabel gains on each rival, paired by seed, on each set and on the mean of all."""
    rows, body = lines("federated"), []
    for arm in ("labels only", "global teacher", "own teacher", "labels only, pooled", "DRIFT, pooled"):
        gain = rows.assign(gain=rows["FedLabel"] - rows[arm]).pivot(index="seed", columns="data", values="gain")
        each = [points(gain[data], "+") for data in rows.data.unique()]
        body.append([WORDS["federated"][arm], *each, points(gain.dropna().mean(axis=1), "+")])
    return grid(["FedLabel against", *rows.data.unique(), "all"], body)


# What to label next

ASKS_BY, RANDOM = "by auto", "by random"


def areas() -> pd.DataFrame:
    """The area under each curve, with the columns data, seed, method and score."""
    found = pd.DataFrame([r for r in recorded("curves")[1] if "error" not in r])
    return found.drop_duplicates(["data", "seed", "method"], keep="last")


def curves() -> str:
    protocol, rows = recorded("curves")
    return f"{protocol.about}\n\n" + markdown.table(rows, RANDOM, "Mean accuracy over the curve").rstrip()


def curves_claim() -> str:
    """What is claimed of the default selector, and what the curves say of it."""
    wide = areas().pivot_table(index=["data", "seed"], columns="method", values="score").dropna(how="all")
    alone = [m for m in wide if " + " not in m]
    gain = (wide[ASKS_BY] - wide[RANDOM]).dropna()
    by_seed = wide[alone].dropna().groupby("seed").mean()
    best = {s: by_seed.drop(s).mean().idxmax() for s in by_seed.index}
    behind = pd.Series([by_seed.loc[s, best[s]] - by_seed.loc[s, ASKS_BY] for s in by_seed.index])
    of_set, table = [], wide[alone].dropna()
    for data, part in table.groupby("data"):
        each = part.droplevel("data")
        picks = {s: each.drop(s).mean().idxmax() for s in each.index}
        of_set += [(data, each.loc[s, picks[s]] - each.loc[s, ASKS_BY]) for s in each.index]
    lost = pd.DataFrame(of_set, columns=["data", "lost"]).groupby("data").lost.mean()
    t = summary.wins(recorded("curves")[1], RANDOM).loc[ASKS_BY]
    chosen = ", ".join(sorted({m.removeprefix("by ") for m in best.values()}))
    return grid(
        ["`auto`, points of mean accuracy over the curve", "found"],
        [
            ["against random, mean of the sets; interval over the seeds", points(gain.groupby("seed").mean(), "+")],
            ["against random, mean of the sets; interval over the sets", points(gain.groupby("data").mean(), "+")],
            ["sets clearly above / neither / clearly below", f"{t.above:.0f} / {t.neither:.0f} / {t.below:.0f}"],
            [f"behind the one that the other seeds chose for all sets ({chosen})", points(behind, "+")],
            ["behind the one that they chose for each set", points(lost, "+")],
        ],
    )


def curves_in_loop() -> str:
    """What a method in the loop adds to the labels-only model with the same selector, by data set."""
    wide = areas().pivot_table(index=["data", "seed"], columns="method", values="score")
    sets = [s for s in DATA if s in wide.index.get_level_values("data")] + ["digits"]
    body = []
    for method in (m for m in wide if " + " in m):
        added = (wide[method] - wide[method.split(" + ")[0]]).dropna()
        cells = [points(added.loc[s], "+") if s in added.index.get_level_values("data") else "–" for s in sets]
        body.append([method, *cells, points(added.groupby("data").mean(), "+")])
    return grid(["in the loop", *(DATA.get(s, s) for s in sets), "mean of the sets"], body)


def curves_tuning() -> str:
    """Selectors on the data on which the default was chosen: points of the area under the curve against random."""
    found = pd.DataFrame([r for r in recorded("curves_tuning")[1] if "error" not in r])
    wide = found.pivot_table(index=["data", "seed"], columns="method", values="score").dropna()
    gain = wide.sub(wide[RANDOM], axis=0).drop(columns=RANDOM)
    sets = list(dict.fromkeys(found.data))
    means = gain.groupby("data").mean()
    body = [
        [name, *(points(gain[name].loc[s], "+") for s in sets), points(means[name], "+")]
        for name in means.mean().sort_values(ascending=False).index
    ]
    return grid(["against random", *sets, "mean of the sets"], body)


def labelling() -> str:
    """The labelling page: what four kills lost, and how fast the next item comes."""
    found = held("labelling")
    of = pd.DataFrame(found["campaigns"])
    lost, doubled = int(of["lost"].sum()), int(of["doubled"].sum())
    said = (
        f"{len(of)} campaigns of {int(of.answers.max())} answers, {int(of.kills.sum())} kills: {lost} answers lost, "
        f"{doubled} doubled, {sum(map(len, of['faults of the page']))} faults of the page."
    )
    body = [
        [f"{r['rows']:,}", *(f"{r[name]:.0f}" for name in ("median ms", "p95 ms", "largest ms")), f"{r['start s']:.0f}",
         f"{r['memory MB']:.0f}"]
        for r in found["speed"]
    ]  # fmt: skip
    head = ["rows", "key to next item, median ms", "95 % within, ms", "largest, ms", "start, s", "memory, MB"]
    app = found["app"]
    path = (
        f"`tutelage app` led from a table of {app['rows']:,} rows to its labels with {app['labels']} answers, "
        f"{app['clicks']} clicks, the choice of the file among them, and {app['keys']} keys, in {app['seconds']:.0f} "
        f"seconds, {app['seconds at the labels']:.0f} of them at the labels: {app['right of all']:,} of the rows are "
        "right."
    )
    return f"{said}\n\n{grid(head, body)}\n\n{path}"


def asking_peers() -> str:
    """Strategies of other libraries beside selectors of ours, on the same data sets and seeds."""
    theirs = lines("asking_peers")
    found = pd.concat([areas()[theirs.columns.intersection(areas().columns)], theirs])
    wide = found.pivot_table(index=["data", "seed"], columns="method", values="score")
    names = [ASKS_BY, "by margin", "by coreset", *sorted(set(theirs.method))]
    wide = wide[[RANDOM, *names]].dropna()
    gain = wide.sub(wide[RANDOM], axis=0).groupby("data").mean()
    body = [[name, points(gain[name], "+"), f"{100 * gain[name].min():+.1f}"] for name in names]
    seeds = wide.index.get_level_values("seed").nunique()
    table = grid(["selector", "against random, mean of the sets", "least of a set"], body)
    return f"{wide.index.get_level_values('data').nunique()} data sets, {seeds} seeds.\n\n{table}"


ESTIMATES = {
    "random": "the random tenth, held out from the model",
    "prequential": "the random tenth, as it was predicted when it was asked for",
    "all asked": "all labels that were asked for, held out",
}


def exactly(found: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Ends of the 90 % interval of Clopper and Pearson, of estimates that are shares of numbers of labels."""
    n, right = found.labels, (found.estimate * found.labels).round()
    low, high = beta.ppf(0.05, right, n - right + 1), beta.ppf(0.95, right + 1, n - right)
    return pd.Series(low).fillna(0.0), pd.Series(high).fillna(1.0)


def campaigns() -> str:
    rows = lines("campaigns")
    body = []
    for key, name in ESTIMATES.items():
        found = pd.DataFrame(list(rows[key]))
        low, high = exactly(found)
        held = [100 * ((low <= rows[truth]) & (rows[truth] <= high)).mean() for truth in ("pool", "test")]
        cells = [f"{v:.1f}" for v in (*held, 100 * found.covers.mean(), 50 * (high - low).mean())]
        body.append([name, f"{found.labels.median():.0f}", *cells, points(found.estimate - rows["pool"], "+")])
    head = ["estimate of the accuracy", "labels", "exact interval holds the truth, %", "that on the test part, %"]
    more = ["Wilson's holds it, %", "exact half-width, points", "estimate less truth, points"]
    return f"{len(rows)} campaigns.\n\n" + grid([*head, *more], body)


TRAINED = {"head": "a head on features", "encoder": "an encoder, whole"}


def devices() -> str:
    """Steps a second of one process and of two, and what a step costs all of them."""
    body = [
        [what, way, f"{row['steps_a_second']:,.2f}", f"{row['against_one']:.2f}", f"{row['cpu_seconds_a_step']:.3f}"]
        for name, what in TRAINED.items()
        for way, row in held("devices")[name].items()
    ]
    return grid(["trained", "by", "steps a second", "against one", "CPU seconds a step"], body)


TABLES: dict[str, Callable[[], str]] = {
    "serve": serve,
    "serve_held": serve_held,
    "devices": devices,
    "engines": engines,
    "ledger_costs": ledger_costs,
    "ledger_sizes": ledger_sizes,
    "annotators": annotators,
    "from_nothing": from_nothing,
    "scale_hours": scale_hours,
    "scale_disk": scale_disk,
    "bench_main": lambda: markdown.gains(own(), BASELINE),
    "bench_auto": lambda: markdown.choice(summary.together(own().values()), CHOOSER, BASELINE),
    "bench_constant": lambda: markdown.constants(summary.together(own().values()), CHOOSER, BASELINE),
    "beside": lambda: compared_ways("beside", "drift, rules"),
    "described": lambda: compared_ways("described", "drift, described"),
    "misdescribed": lambda: compared_ways("misdescribed", "drift, described"),
    **{name: partial(weak, **of) for name, of in WORDS["weak"].items()},
    "noise_people": lambda: noise("cifar10", human=True),
    **{f"decided_{part.replace(' ', '_')}": partial(decided, part) for part in ("texts", "other kinds", "skewed")},
    "noise_first_rounds": lambda: listed("first_rounds", [r | r["two_hot"] for r in held("noise_theory")["rounds"]]),
    "anticipation_tags": lambda: study("tags", entities=True),
    **{f"anticipation_{name}": partial(study, name) for name in ("grid", "options", "balanced")},
    **{f"bench_{name}": partial(whole, name) for name in (*MAIN, *MORE)},
    **{f"mutual_{data}": partial(mutual, data) for data in ("cifar10", "fashion", "camvid")},
    **{f"noise_{data}": partial(noise, data) for data in ("cifar10", "fashion", "ag_news")},
    "copies_planted": lambda: listed("copies_planted", planted_rows()),
    **{name: partial(listed, name) for name in (
        "follower_cost", "view_throughput", "pool_memory", "distil_speed", "look", "exchange", "reading",
        "copies", "teacher_claims",
    )},
    **{f"enough_{part}": lambda part=part: listed(f"enough_{part}", held("enough")[part]) for part in (
        "coverage", "regret",
    )},
    **{f.__name__: f for f in (
        curves, curves_claim, curves_in_loop, curves_tuning, campaigns, labelling, asking_peers,
        bench_libraries, ag_news, all_sets, disaster, finetuned, anticipation_stability, margins, detection,
        noise_verdict, noise_target, noise_rounds, noise_memorised, noise_equalities, noise_two_hot, noise_curves,
        partial_forms, audit_ranking, audit_flags, audit_expected, cost, graph_scale, believed_calibration,
        believed_answers, believed_rules, worth_of_encoders, worth_of_adapting, worth_of_adapting_mpnet,
        worth_of_teachers, penalty, many_classes, mpnet_described, all_sources, adapted_beside_setfit, formats,
        faulty_files, copied_labels, pool_looks, federated, federated_claim, gate_trials, gate_sight, paid_teacher,
    )},
}  # fmt: skip
"""Of the pages in docs."""
README: dict[str, Callable[[], str]] = {"best_and_worst": best_and_worst}
"""Of the README, which has one table."""


@cache
def made(name: str) -> str:
    return (TABLES | README)[name]()


def filled(text: str, names: Iterable[str]) -> str:
    for name in (n for n in re.findall(r"<!-- (\w+) -->", text) if n in names):
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = place.sub(lambda m, name=name: f"{m[1]}{made(name)}\n{m[2]}", text)
    return text


if __name__ == "__main__":
    root = HERE.parent
    for page, names in ((root / "README.md", README), *((p, TABLES) for p in sorted((root / "docs").glob("*.md")))):
        before = page.read_text(encoding="utf-8")
        after = filled(before, names)
        if "--check" not in sys.argv:
            page.write_text(after, encoding="utf-8")
        elif before != after:
            sys.exit(f"{page.name} differs from the results; run python benchmarks/tables.py")
