"""What docs/ecg-quality.md says of planted faults, on a part of the public recordings."""

from __future__ import annotations

from itertools import islice

import pytest

from ai_models.ecg.training import data
from ai_models.ecg.training.faults import FAULTS
from ai_models.ecg.training.quality import looked_at

CERTAIN = {"quality.lead_off", "quality.saturated", "quality.mains", "quality.wander", "quality.einthoven"}


@pytest.mark.shared_data
@pytest.mark.skipif(
    not (data.DEFAULT_ROOT / "ptbxl").is_dir(), reason="the public recordings are not on this machine"
)
def test_planted_faults_are_seen_and_sound_recordings_are_left_alone() -> None:
    found = looked_at(islice(data.ptbxl(data.DEFAULT_ROOT), 24))
    assert len(found.named) <= 1
    for name, (code, _) in FAULTS.items():
        if code in CERTAIN:
            assert found.seen[name] >= 0.9 * found.of[name], name
    assert found.seen["arms exchanged"] >= 0.6 * found.of["arms exchanged"]
    assert found.seen["V1 and V6 exchanged"] >= 0.7 * found.of["V1 and V6 exchanged"]
