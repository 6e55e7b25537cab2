"""All of scikit-learn's checks, for every estimator that they can test, and those that need no rows for the others."""

from __future__ import annotations

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

from tutelage import Classifier, Segmenter, SelfDistiller, Tagger

pytestmark = pytest.mark.filterwarnings("ignore:.* different labels")  # of rows of zeros

DRAWN = (
    "batches are drawn by the weights, and copies of a row share one vote, so that a row of weight 2 is not two rows "
    "to the last digit"
)
EXPECTED = dict.fromkeys(
    ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"), DRAWN
)
"""The checks that fail, and why."""


def failed(estimator, **expected):
    found = check_estimator(estimator, expected_failed_checks=expected, on_skip=None)
    return {one["check_name"] for one in found if one["status"] == "xfail"}


def quick(method: str) -> Classifier:
    """A quick classifier; -1 and 1 are two classes in one of the checks."""
    return Classifier(method, missing_label=None, steps=2, evidence=False)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["supervised", "self_training", "mean_teacher", "drift"])
def test_a_classifier_passes_all_but_two(method):
    assert failed(quick(method), **EXPECTED) <= set(EXPECTED)


def test_a_self_distiller_passes_all():
    assert failed(SelfDistiller("labels", weight_decay=0.1)) == set()


ALONE = (
    "check_estimator_cloneable", "check_estimator_tags_renamed", "check_valid_tag_types", "check_estimator_repr",
    "check_no_attributes_set_in_init", "check_mixin_order", "check_do_not_raise_errors_in_init_or_set_params",
    "check_parameters_default_constructible", "check_get_params_invariance", "check_set_params",
)  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("estimator", [quick("drift"), Tagger(), Segmenter()], ids=lambda e: type(e).__name__)
def test_every_estimator_passes_those_that_fit_nothing(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, estimator)


@pytest.mark.parametrize(
    "name",
    ["check_sample_weights_list", "check_sample_weights_shape", "check_all_zero_sample_weights_error",
     "check_estimator_sparse_tag", "check_classifiers_one_label_sample_weights", "check_fit_idempotent"],
)  # fmt: skip
def test_a_classifier_passes_some_that_fit(name):
    getattr(estimator_checks, name)("Classifier", quick("drift"))
