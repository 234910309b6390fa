"""The main job, unattended, as scripts drive it: every study to every recipient."""

import json
import subprocess
import sys

STEPS = {
    "stored",
    "complete",
    "routed",
    "inferred",
    "claimed",
    "signed",
    "final",
    "delivered",
    "acknowledged",
}


def test_every_example_study_reaches_every_recipient_and_the_exit_status_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "telemed.cli", "demo", "--once", "--json"],
        capture_output=True,
        timeout=400,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    answer = json.loads(done.stdout)
    studies = answer["studies"]
    assert answer["ok"] is True
    assert len(studies) >= 3
    assert len({study["study_instance_uid"] for study in studies}) == len(studies)
    for study in studies:
        assert "problem" not in study
        assert set(study["steps"]) == STEPS
        assert "institution" in study["recipients"]
        # A step after another is never earlier; the demo waits for the machine before it claims.
        order = ["stored", "complete", "claimed", "signed", "final", "delivered", "acknowledged"]
        times = [study["steps"][step] for step in order]
        assert times == sorted(times)
    assert {study["modality"] for study in studies} == {"ECG", "DX"}
    copies = {tuple(sorted(study["recipients"])) for study in studies}
    # With a contract, and without one: both are among them.
    assert copies == {("family_doctor", "institution"), ("institution",)}
