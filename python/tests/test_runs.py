"""Runs: the same bytes as the command's, interrupted or not, and what is done with them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trompe
from conftest import SHORT, brightness, command, content, hearing, victim

SOUND: dict[str, Any] = {
    "bank": "synthetic-loops",
    "budget": 60,
    "seed": 3,
    "exhibits": 1,
    "seconds": 4.0,
    "threshold": 0.9,
    "random_candidates": 1_000,
}


def test_a_run_of_sound_is_the_commands_to_the_byte(model: Path, tmp_path: Path) -> None:
    line = "--bank synthetic-loops --budget 60 --seed 3 --exhibits 1 --seconds 4 --threshold 0.9"
    done = command("fool", model, *line.split(), "--out", tmp_path / "command")
    assert done.returncode == 0, done.stderr
    run = trompe.fool(model, **SOUND, out=tmp_path / "python")
    assert len(run) > 0
    assert content(tmp_path / "python") == content(tmp_path / "command")
    assert command("verify", run.set).returncode == 0
    assert run.verify()["passed"]
    assert run.sample_rate == 22_050 and run.samples.shape[1] == 4 * 22_050


def test_a_run_of_images_is_the_commands_to_the_byte(tmp_path: Path) -> None:
    model = tmp_path / "digits.safetensors"
    line = "train synthetic-digits --clips 20 --classifier logistic --out"
    done = command(*line.split(), model)
    assert done.returncode == 0, done.stderr
    line = "--generator cppn --budget 300 --exhibits 1 --emitter map-elites --threshold 0.5"
    done = command("fool", model, *line.split(), "--out", tmp_path / "command")
    assert done.returncode == 0, done.stderr
    run = trompe.fool(
        trompe.load(model),
        generator="cppn",
        budget=300,
        exhibits=1,
        emitter="map-elites",
        threshold=0.5,
        out=tmp_path / "python",
    )
    assert content(tmp_path / "python") == content(tmp_path / "command")
    assert run.samples.dtype == np.uint8 and run.samples.shape[1:] == (28, 28, 1)


SCRIPT = """
    import sys, numpy as np, trompe
    sys.path.insert(0, {tests!r})
    from conftest import brightness, victim, hearing
    {body}
"""


def script(body: str, **environment: str) -> subprocess.Popen[str]:
    """Start Python code in a process of its own."""
    text = textwrap.dedent(SCRIPT).format(
        tests=str(Path(__file__).parent), body=textwrap.dedent(body)
    )
    return subprocess.Popen(
        [sys.executable, "-c", text],
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_threads_change_no_byte(tmp_path: Path) -> None:
    for threads in ("1", "3"):
        body = "trompe.fool(hearing(), bank='synthetic-loops', budget=40, exhibits=1, "
        body += f"random_candidates=5, out={str(tmp_path / threads)!r})"
        done = script(body, RAYON_NUM_THREADS=threads)
        _, errors = done.communicate(timeout=120)
        assert done.returncode == 0, errors
    assert content(tmp_path / "1") == content(tmp_path / "3")


def test_an_interrupt_stops_at_once_and_leaves_a_run_to_resume(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    body = f"""
import time
def slow(images):
    print("called", flush=True)
    time.sleep(0.05 if len(images) > 1 else 0)
    return brightness(images)
try:
    trompe.fool(victim(slow), budget=400, exhibits=2, random_candidates=20, out={str(folder)!r})
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(7)
"""
    running = script(body)
    assert running.stdout is not None
    for _ in range(4):
        assert running.stdout.readline() == "called\n"
    running.send_signal(signal.SIGINT)
    sent = time.monotonic()
    output, errors = running.communicate(timeout=60)
    assert running.returncode == 7, errors
    assert output.splitlines()[-1] == "interrupted"
    # The callable may have been called once more at most: nothing waits for a generation.
    assert output.count("called") <= 1, f"{time.monotonic() - sent:.1f} s"
    run = trompe.resume(folder, victim())
    whole = trompe.fool(victim(), **SHORT, out=tmp_path / "whole")
    for name in ["trace.jsonl", "archive.json", "report.json", "fooling-set/manifest.json"]:
        assert content(run.folder)[name] == content(whole.folder)[name]


def test_an_interrupt_stops_a_model_of_a_file(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    body = f"""
def standing(done, budget, classes):
    print(done, flush=True)
try:
    trompe.fool({str(model)!r}, bank="synthetic-loops", budget=100_000, threshold=1 - 1e-12,
                out={str(folder)!r}, progress=standing)
except KeyboardInterrupt:
    sys.exit(7)
"""
    running = script(body)
    assert running.stdout is not None
    assert int(running.stdout.readline()) > 0
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 7, errors
    assert (folder / "checkpoint.json").exists() and not (folder / "fooling-set").exists()


def test_what_progress_raises_stops_the_run() -> None:
    seen = []

    def progress(done: int, budget: int, classes: int) -> None:
        seen.append((done, budget, classes))
        if len(seen) == 2:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        trompe.fool(victim(), **SHORT, progress=progress)
    assert seen[0][0] < seen[1][0] and seen[0][1] == 400


def test_what_a_run_says_of_itself(tmp_path: Path) -> None:
    run = trompe.fool(victim(), **SHORT, out=tmp_path / "run")
    again = trompe.Run(run.folder)
    assert again.manifest == run.manifest and len(again) == len(run) == 4
    assert run.samples.shape == (4, 8, 8, 1) and run.samples.dtype == np.uint8
    assert run.labels.tolist() == ["dark", "dark", "bright", "bright"]
    # The files hold what is claimed of them.
    np.testing.assert_allclose(victim().posteriors(run.samples), run.posteriors, rtol=1e-12)
    assert np.isnan(run.levels).all()
    assert run.resumable and run.page.is_file()
    of = {row["label"]: row["evaluations_to"] for row in run.report["classes"]}
    place = [at["threshold"] for at in run.report["thresholds"]].index(0.999)
    assert run.evaluations_to(0.999) == {label: counts[place] for label, counts in of.items()}
    assert run.evaluations_to(1 - 1e-15) == {"dark": None, "bright": None}
    with pytest.raises(ValueError, match="posterior"):
        run.evaluations_to(1.5)
    frame = run.to_dataframe()
    assert frame["label"].tolist() == run.labels.tolist()
    assert frame["evaluation"].is_monotonic_increasing is not None
    page = run._repr_html_()
    assert page.count("<img") == 4 and "data:image/png;base64," in page


def test_what_a_notebook_plays() -> None:
    run = trompe.fool(hearing(), bank="synthetic-loops", budget=40, exhibits=1, random_candidates=5)
    page = run._repr_html_()
    assert page.count("<audio") == len(run) > 0 and "data:audio/wav;base64," in page


def test_a_temporary_run_is_removed_with_its_last_object() -> None:
    run = trompe.fool(victim(), **SHORT)
    folder = run.folder
    assert folder.is_dir()
    del run
    assert not folder.exists()


def test_folders_that_are_taken_or_empty_are_errors(tmp_path: Path) -> None:
    trompe.fool(victim(), **SHORT, out=tmp_path / "run")
    with pytest.raises(ValueError, match="already holds a run"):
        trompe.fool(victim(), **SHORT, out=tmp_path / "run")
    with pytest.raises(ValueError, match="no finished run"):
        trompe.Run(tmp_path)
    with pytest.raises(FileNotFoundError):
        trompe.resume(tmp_path / "nothing", victim())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bank": "loops"}, "bank"),
        ({"generator": "waves"}, "generator"),
        ({"generator": {"generator": "patches", "colours": 3}}, "settings: .*colours"),
        ({"budget": -1}, "budget"),
        ({"budget": 0}, "budget"),
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": 0.5, "level": 0.5}, "threshold and a level"),
        ({"targets": ["grey"]}, "grey"),
        ({"emitter": "climb"}, "emitter: 'climb'"),
        ({"seconds": 3.0}, "seconds"),
    ],
)
def test_settings_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trompe.fool(victim(), **options)


def test_a_file_that_was_changed_does_not_verify(tmp_path: Path) -> None:
    run = trompe.fool(victim(), **SHORT, out=tmp_path / "run")
    run.files[0].write_bytes(run.files[1].read_bytes())
    verified = trompe.verify(run, victim())
    assert not verified["passed"]
    assert "altered" in verified["exhibits"][0]["problems"][0]
    with pytest.raises(ValueError, match="not on"):
        run.verify(victim(fingerprint="another"))


def test_what_others_make_of_a_set() -> None:
    run = trompe.fool(victim(), **SHORT)
    opposite = victim(lambda images: -brightness(images), fingerprint="opposite")
    same = trompe.transfer(run, victim())
    assert all(exhibit["same_label"] and exhibit["reaches"] for exhibit in same["exhibits"])
    other = trompe.transfer(run, opposite)
    assert not any(exhibit["same_label"] for exhibit in other["exhibits"])
    probes = trompe.probe(victim())
    assert {"label", "posterior", "level", "probe"} <= probes[0].keys()
    of_files = trompe.predict(victim(), run.files)
    of_arrays = trompe.predict(victim(), run.samples)
    assert [answer["label"] for answer in of_files] == run.labels.tolist()
    for file, array in zip(of_files, of_arrays, strict=True):
        assert file.pop("file")
        assert file == array
    with pytest.warns(UserWarning, match="files were not read"):
        assert len(trompe.predict(victim(), run.set)) == 4


def test_runs_of_callables_are_compared(tmp_path: Path) -> None:
    runs = [trompe.fool(victim(), **SHORT, seed=seed) for seed in (1, 2)]
    other = victim(lambda images: brightness(images) * 0.7, fingerprint="paler")
    runs.append(trompe.fool(other, **SHORT))
    compared = trompe.compare(runs, tmp_path / "comparison")
    assert len(compared["groups"]) == 2
    written = json.loads((tmp_path / "comparison/comparison.json").read_text())
    assert written == compared and (tmp_path / "comparison/index.html").is_file()
    survival = compared["groups"][0]["survival"]
    assert all("not a file" in row["skipped"] for row in survival)


def test_a_model_of_sound_is_asked_and_filtered(model: Path, tmp_path: Path) -> None:
    of = trompe.load(model)
    assert of.kind == "adaboost-mh" and of.audio == 22_050 and of.genuine_items
    clips = trompe.corpus("synthetic", clips_per_class=2)
    files = clips.paths[:2]
    by_file = trompe.predict(of, files)
    by_array = of.predict([clips[0], clips[1]])
    assert [answer["label"] for answer in by_file] == by_array.tolist()
    equalized = trompe.equalize(
        of, files, out=tmp_path / "equalized", severities=[12.0], budget=20, threshold=0.6
    )
    assert equalized["clips"] == 2 and len(equalized["severities"]) == 1
    of_arrays = trompe.equalize(
        of, clips[:2], out=tmp_path / "arrays", severities=[12.0], budget=20, threshold=0.6
    )
    found = equalized["severities"][0]["attempts"], of_arrays["severities"][0]["attempts"]
    assert {attempt["clip"] for attempt in found[1]} == {"recordings[0]", "recordings[1]"}
    for file, array in zip(*found, strict=True):
        assert file.pop("clip").endswith(".wav") and array.pop("clip")
        assert file == array
    with pytest.raises(ValueError, match="holds an equalization already"):
        trompe.equalize(of, files, out=tmp_path / "equalized", severities=[12.0], budget=20)


def test_a_callable_is_fooled_by_filters(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = [rng.uniform(-0.3, 0.3, 2 * 16_000).astype(np.float32) for _ in range(2)]
    of = hearing()
    assert of.predict(noise).tolist() == ["hiss", "hiss"]
    options: dict[str, Any] = {"severities": [24.0], "budget": 300, "threshold": 0.9}
    equalized = trompe.equalize(of, noise, out=tmp_path / "equalized", **options)
    (severity,) = equalized["severities"]
    assert severity["success_rate"] > 0, severity["attempts"]
    verified = trompe.verify(severity["set"], of)
    assert verified["passed"] and len(verified["exhibits"]) > 0
    # A callable is no file: nothing in the folder says otherwise.
    assert not list((tmp_path / "equalized").glob("model*"))
    again = trompe.equalize(hearing(), noise, out=tmp_path / "again", **options)
    assert again["severities"][0]["attempts"] == severity["attempts"]
    with pytest.raises(ValueError, match="takes images"):
        trompe.equalize(victim(), noise, out=tmp_path / "no")
    with pytest.raises(ValueError, match="no clip"):
        trompe.equalize(of, [], out=tmp_path / "no")
    with pytest.raises(ValueError, match="recordings: one path"):
        trompe.equalize(of, "song.mp3", out=tmp_path / "no")
    with pytest.raises(ValueError, match=r"recordings\[1\]: .*mono"):
        trompe.equalize(of, [noise[0], np.zeros((2, 16_000))], out=tmp_path / "no")
    with pytest.raises(FileNotFoundError, match="nothing.wav"):
        trompe.equalize(of, ["nothing.wav"], out=tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_the_command_says_what_becomes_of_runs_of_callables(tmp_path: Path) -> None:
    run = trompe.fool(victim(), **SHORT, out=tmp_path / "run")
    for line, advice in [
        (["verify", run.set], "trompe.verify(set, victim)"),
        (["fool", "--resume", run.folder], "trompe.resume(folder, victim)"),
        (["replay", run.set], "models' files"),
    ]:
        done = command(*line)
        assert done.returncode == 2, done.stderr
        assert "of a callable" in done.stderr or "on a callable" in done.stderr, done.stderr
        assert "no file holds" in done.stderr and advice in done.stderr, done.stderr
    with pytest.raises(ValueError, match=r"on a callable.*trompe\.verify\(set, victim\)"):
        run.verify()
    with pytest.raises(ValueError, match=r"of a callable.*trompe\.resume\(folder, victim\)"):
        trompe.resume(run.folder)


def test_what_becomes_of_folders_that_are_there(tmp_path: Path) -> None:
    """Runs, equalizations and studies are never written over; pages of numbers are."""
    run = trompe.fool(victim(), **SHORT, out=tmp_path / "run")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="foreign"):
        trompe.fool(victim(), **SHORT, out=tmp_path / "foreign")
    assert content(tmp_path / "foreign") == {"notes.txt": b"mine"}
    stated: dict[str, Any] = {"contact": "a person", "retain_until": "2999-12-31"}
    with pytest.raises(ValueError, match="foreign exists"):
        trompe.Study.build(tmp_path / "foreign", [run], **stated)
    runs = [run, trompe.fool(victim(), **SHORT, seed=2)]
    first = trompe.compare(runs, tmp_path / "foreign")
    assert trompe.compare(runs, tmp_path / "foreign") == first
    assert content(tmp_path / "foreign")["notes.txt"] == b"mine"


def test_files_that_are_no_models_are_errors(tmp_path: Path) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="bad.safetensors"):
        trompe.load(bad)
    with pytest.raises(OSError, match=r"none\.safetensors"):
        trompe.load(tmp_path / "none.safetensors")


def test_an_interrupt_stops_the_command(model: Path, tmp_path: Path) -> None:
    line = f"fool {model} --bank synthetic-loops --budget 100000 --threshold 0.9999999999".split()
    running = subprocess.Popen(
        [sys.executable, "-m", "trompe", *line, "--out", str(tmp_path / "run")],
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if (tmp_path / "run/trace.jsonl").exists():
            break
        time.sleep(0.1)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert "go on with" in errors


def test_python_dash_m_is_the_command() -> None:
    assert command("--version").stdout.split() == ["trompe", trompe.__version__]
    wrong = command("fool", "nothing.safetensors")
    assert wrong.returncode == 2 and "nothing.safetensors" in wrong.stderr
    assert command("nonsense").returncode == 2
