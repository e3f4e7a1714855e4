"""docs/features.md says what the code does."""

import importlib.util
from pathlib import Path

from detector.features import FEATURES

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_in_step_with_the_features():
    """Run tools/make_feature_reference.py when this fails."""
    spec = importlib.util.spec_from_file_location(
        "make_feature_reference", ROOT / "tools/make_feature_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page()


def test_every_feature_is_named_once_and_says_when_it_is_absent():
    names = [feature.name for feature in FEATURES]
    assert len(names) == len(set(names))
    assert all(feature.meaning and feature.unit and feature.span and feature.absent for feature in FEATURES)
