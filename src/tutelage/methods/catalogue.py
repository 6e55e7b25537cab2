"""Every method with its family, paper and kinds of data, readable without importing it.

Neither torch nor numpy is imported here. To add a method: its file, its test, and a row of `TABLE`.
"""

from __future__ import annotations

from dataclasses import dataclass

AUTO = "auto"
"""The name under which a method is chosen automatically."""

AUTO_SAYS = (
    "Try methods by cross-validation on the labels, drop the worse early; the best few together teach one student."
)
"""First sentence of the docstring of `tutelage.fit.auto.Auto`."""


@dataclass(frozen=True)
class Entry:
    """A method's description.

    Attributes:
        name: the method's name on the command line and in the estimators, and that of its module in `tutelage.methods`.
        class_name: name of the class in that module.
        family: group of methods with one idea: "labels only", "brought teacher", "self-training", "slow teacher",
            "consistency", "weak to strong", "two networks", "graph", "classifiers" or "noisy labels".
        paper: authors and venue of the paper; empty where there is none.
        year: year of the paper; None where there is none.
        sentence: first sentence of the class's docstring.
        remembers: whether it stores something for each unit from step to step, or for each row beforehand. Then it
            refuses units that move with the view, as pixels do (`require_own_units`).
    """

    name: str
    class_name: str
    family: str
    paper: str
    year: int | None
    sentence: str
    remembers: bool = False

    @property
    def module(self) -> str:
        """The module to import, "tutelage.methods.drift"."""
        return f"tutelage.methods.{self.name}"

    @property
    def citation(self) -> str:
        """Authors, venue and year; empty without a paper.

        >>> TABLE["drift"].citation
        'Zuo et al., NAACL Findings 2022'
        """
        return f"{self.paper} {self.year}" if self.paper else ""


_ENTRIES = (
    Entry(
        "supervised", "Supervised", "labels only", "", None,
        "Cross-entropy on the labels; the pool is not used.",
    ),
    Entry(
        "self_training", "SelfTraining", "self-training", "Scudder, IEEE Trans. Information Theory", 1965,
        "Round 0 learns from the labels; each later round from them and the last round's sure guesses.",
    ),
    Entry(
        "mean_teacher", "MeanTeacher", "slow teacher", "Tarvainen and Valpola, NeurIPS", 2017,
        "The student learns to agree with the moving average of its own past.",
    ),
    Entry(
        "vat", "Vat", "consistency", "Miyato et al., TPAMI", 2019,
        "The prediction may not change in the direction in which it changes most.",
    ),
    Entry(
        "uda", "Uda", "weak to strong", "Xie et al., NeurIPS", 2020,
        "The prediction on a text teaches the prediction on a disturbed copy of it.",
    ),
    Entry(
        "fixmatch", "FixMatch", "weak to strong", "Sohn et al., NeurIPS", 2020,
        "The hard label of a weakly disturbed view, where it is sure, teaches a strongly disturbed view.",
    ),
    Entry(
        "cutmix_mean_teacher", "CutmixMeanTeacher", "slow teacher", "French et al., BMVC", 2020,
        "The student agrees, on images that each show a box of another one, with what the teacher made of both.",
    ),
    Entry(
        "cosine", "Cosine", "self-training", "Yu et al., NAACL", 2021,
        "Self-training on sure pseudo-labels, kept apart by their features and kept from overconfidence.",
        remembers=True,
    ),
    Entry(
        "bond", "Bond", "self-training", "Liang et al., KDD", 2020,
        "A still teacher labels each batch anew; now and then the student takes its place and goes on.",
    ),
    Entry(
        "distil", "Distil", "brought teacher", "Hinton, Vinyals and Dean", 2015,
        "The student learns what a teacher that was brought said of the pool, and the labels beside it.",
        remembers=True,
    ),
    Entry(
        "dho", "Dho", "brought teacher", "Kang et al., arXiv", 2025,
        "Two heads on one network: its own learns the labels alone, the other the teacher alone, and both answer.",
        remembers=True,
    ),
    Entry(
        "slam", "Slam", "brought teacher", "Kontonis et al., NeurIPS", 2023,
        "The student's answer is mixed with how the teacher errs before it is held against the teacher's label.",
        remembers=True,
    ),
    Entry(
        "alm_kd", "AlmKd", "brought teacher", "Sivasubramanian et al., AAAI", 2023,
        "How much a row's label counts, and how much its teacher, is learnt row by row from labels that are held back.",
        remembers=True,
    ),
    Entry(
        "multi_teacher", "MultiTeacher", "brought teacher", "arXiv 2112.01048", 2021,
        "Where several teachers are of one mind the student learns their label, elsewhere the mean of what they say.",
        remembers=True,
    ),
    Entry(
        "lelp", "Lelp", "brought teacher", "Loo et al., arXiv", 2024,
        "The teacher's classes are split along what it sees of them; the student learns all parts, and adds them up.",
        remembers=True,
    ),
    Entry(
        "nd", "Nd", "brought teacher", "Wang et al., arXiv", 2023,
        "Distillation, and the student's last features are drawn along the mean of the teacher's of the same class.",
        remembers=True,
    ),
    Entry(
        "ssld", "Ssld", "brought teacher", "Cui et al., arXiv", 2021,
        "`Distil` by the Jensen-Shannon divergence, without labels: the surest of each class, then all, more slowly.",
        remembers=True,
    ),
    Entry(
        "grip", "Grip", "brought teacher", "Menghini, Delworth and Bach, NeurIPS", 2023,
        "Round after round the student learns the k surest units of each class: the teacher's, then its own.",
        remembers=True,
    ),
    Entry(
        "prompt_kd", "PromptKd", "brought teacher", "Li et al., CVPR", 2024,
        "The student's features, projected to where the teacher's are, meet class vectors that the teacher has fixed.",
        remembers=True,
    ),
    Entry(
        "diffkd", "DiffKd", "brought teacher", "Huang et al., NeurIPS", 2023,
        "Distillation, and a diffusion model of the teacher's features cleans the student's before they are compared.",
        remembers=True,
    ),
    Entry(
        "spl", "Spl", "brought teacher", "Li et al., AAAI", 2022,
        "The student first learns pairs of what one teacher says of a unit and what another one does, then the labels.",
        remembers=True,
    ),
    Entry(
        "dp_ssl", "DpSsl", "self-training", "Xu et al., NeurIPS", 2021,
        "Many heads each learn the labels that they find easiest; their votes on the pool teach a fresh network.",
        remembers=True,
    ),
    Entry(
        "drift", "Drift", "slow teacher", "Zuo et al., NAACL Findings", 2022,
        "Self-training in which the student anticipates how its teacher will follow it.",
    ),
    Entry(
        "pi_model", "PiModel", "consistency", "Laine and Aila, ICLR", 2017,
        "The student learns to say the same of a unit twice, each time with other dropout and in another weak view.",
    ),
    Entry(
        "temporal_ensembling", "TemporalEnsembling", "consistency", "Laine and Aila, ICLR", 2017,
        "The student learns to agree with the average of what it said of the same unit before.",
        remembers=True,
    ),
    Entry(
        "flexmatch", "FlexMatch", "weak to strong", "Zhang et al., NeurIPS", 2021,
        "`FixMatch` that asks less of classes that are learnt less: each has a threshold of its own.",
        remembers=True,
    ),
    Entry(
        "freematch", "FreeMatch", "weak to strong", "Wang et al., ICLR", 2023,
        "`FixMatch` without a threshold to choose: each class has its own, as high as the student is sure by now.",
    ),
    Entry(
        "softmatch", "SoftMatch", "weak to strong", "Chen et al., ICLR", 2023,
        "`FixMatch` with a weight in place of the threshold: a label less sure than the average counts less.",
    ),
    Entry(
        "adamatch", "AdaMatch", "weak to strong", "Berthelot et al., ICLR", 2022,
        "The predictions on the labelled units set the mean of the pool's labels, and their confidence the threshold.",
    ),
    Entry(
        "mixmatch", "MixMatch", "consistency", "Berthelot et al., NeurIPS", 2019,
        "Labelled units and guessed ones are mixed with each other; a guess is the mean prediction on two weak views.",
    ),
    Entry(
        "remixmatch", "ReMixMatch", "weak to strong", "Berthelot et al., ICLR", 2020,
        "`MixMatch` with guesses that keep the classes' shares, and with a strong view that learns them.",
    ),
    Entry(
        "noisy_student", "NoisyStudent", "self-training", "Xie et al., CVPR", 2020,
        "Round after round a fresh student learns, under noise, the soft labels that the last one gives without noise.",
    ),
    Entry(
        "meta_pseudo_labels", "MetaPseudoLabels", "weak to strong", "Pham et al., CVPR", 2021,
        "The teacher leads: it learns to give labels by which the student, after a step on them, knows the true ones.",
    ),
    Entry(
        "deep_co_training", "DeepCoTraining", "two networks", "Qiao et al., ECCV", 2018,
        "Two networks agree on the pool, and each withstands what deceives the other, so that they stay different.",
    ),
    Entry(
        "label_propagation", "LabelPropagation", "graph", "Zhu, Ghahramani and Lafferty, ICML", 2003,
        "Labels spread along the graph of nearest rows until each row of the pool says the mean of its neighbours.",
        remembers=True,
    ),
    Entry(
        "label_spreading", "LabelSpreading", "graph", "Zhou et al., NIPS", 2003,
        "Labels spread along the graph of nearest rows, a share alpha at each step; given labels may be overruled.",
        remembers=True,
    ),
    Entry(
        "poisson_learning", "PoissonLearning", "graph", "Calder et al., ICML", 2020,
        "Each label is a source of its class and a sink of others in the graph of nearest rows; for very few labels.",
        remembers=True,
    ),
    Entry(
        "tri_training", "TriTraining", "classifiers", "Zhou and Li, IEEE TKDE", 2005,
        "Three classifiers: where two agree on rows of the pool, the third learns them, while its error must fall.",
        remembers=True,
    ),
    Entry(
        "co_training", "CoTraining", "classifiers", "Blum and Mitchell, COLT", 1998,
        "Two classifiers, each of half of the features, label for each other the rows of the pool they are surest of.",
        remembers=True,
    ),
    Entry(
        "balanced_self_training", "BalancedSelfTraining", "classifiers", "Zou et al., ECCV", 2018,
        "A classifier learns the labels, then also what it said itself of the rows of the pool it was surest of.",
        remembers=True,
    ),
    Entry(
        "actune", "AcTune", "self-training", "Yu et al., NAACL", 2022,
        "Round after round a fresh network learns soft labels: what all networks before it said of the pool, averaged.",
        remembers=True,
    ),
    Entry(
        "hast", "Hast", "self-training", "Schroeder and Heyer, EMNLP", 2024,
        "Round after round a fresh network learns sure labels of the pool that most of their neighbours share.",
        remembers=True,
    ),
    Entry(
        "ust", "Ust", "self-training", "Mukherjee and Awadallah, NeurIPS", 2020,
        "Round after round a fresh network learns labels of the pool on which passes with dropout were of one mind.",
        remembers=True,
    ),
    Entry(
        "verips", "Verips", "self-training", "Gilhuber et al., ICDM", 2022,
        "A fresh network learns its sure labels of the pool, but those that one of the labels alone does not confirm.",
    ),
    Entry(
        "nest", "Nest", "self-training", "Xu et al., AAAI", 2023,
        "Round after round a fresh network learns labels of the pool that agree with the nearest given ones.",
        remembers=True,
    ),
    Entry(
        "debiased", "Debiased", "weak to strong", "Chen et al., NeurIPS", 2022,
        "`FixMatch` whose guesses train a head of their own, on features in which no head can err much on them.",
    ),
    Entry(
        "ensemble", "Ensemble", "two networks", "Stojnic et al., WACV", 2024,
        "Several networks learn the labels, then also what they say of the pool together, the surer the more.",
        remembers=True,
    ),
    Entry(
        "curriculum_labelling", "CurriculumLabelling", "self-training", "Cascante-Bonilla et al., AAAI", 2021,
        "Rounds over the last model's hard labels of the surest share of the pool, which grows from 1/rounds to all.",
    ),
    Entry(
        "cbst", "Cbst", "self-training", "Zou et al., ECCV", 2018,
        "Rounds over the model's own hard labels of the surest share of each class, which grows from 1/rounds to all.",
    ),
    Entry(
        "dst", "Dst", "self-training", "Feng et al., arXiv", 2020,
        "`Dmt` by one model on its own labels of the last round: it goes on from round to round.",
    ),
    Entry(
        "dmt", "Dmt", "two networks", "Feng et al., Pattern Recognition", 2022,
        "Rounds over hard labels that another model gave to the pool's surest share, which grows from 1/rounds to all.",
    ),
    Entry(
        "self_distillation", "SelfDistillation", "noisy labels", "Jeong and Chung, ICLR", 2025,
        "Noisy labels: round after round, a fresh student learns what the last one says of the labelled examples.",
    ),
    Entry(
        "partial_label", "PartialLabel", "noisy labels", "Jeong and Chung, ICLR", 2025,
        "Noisy labels: the student learns that either of its teacher's two likeliest classes is right.",
    ),
    Entry(
        "gce", "Gce", "noisy labels", "Zhang and Sabuncu, NeurIPS", 2018,
        "Noisy labels: a label counts the less, the less probable the model finds it.",
    ),
    Entry(
        "sce", "Sce", "noisy labels", "Wang et al., ICCV", 2019,
        "Noisy labels: cross-entropy both ways; the reverse one bounds what a wrong label can cost.",
    ),
    Entry(
        "co_teaching", "CoTeaching", "noisy labels", "Han et al., NeurIPS", 2018,
        "Noisy labels: each of two networks learns the labels of a batch that the other finds easiest.",
    ),
    Entry(
        "elr", "Elr", "noisy labels", "Liu et al., NeurIPS", 2020,
        "Noisy labels: the model may not forget what it said of a unit before it learnt the unit's label by heart.",
        remembers=True,
    ),
    Entry(
        "dividemix", "DivideMix", "noisy labels", "Li, Socher and Hoi, ICLR", 2020,
        "Noisy labels: two networks tell each other which labels are wrong, and learn those units as if unlabelled.",
        remembers=True,
    ),
)  # fmt: skip

TABLE = {entry.name: entry for entry in _ENTRIES}
"""The methods by name."""
