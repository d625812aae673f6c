"""What a callable may return, what it gets, and how it fails."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trompe
from conftest import SHORT, brightness, content, crossings, hearing, victim
from trompe._victim import Output

ODDS = np.array([[1.5, -0.5, -2.0], [-1.0, 0.25, 3.0]])


def returning(numbers: Any, output: Output = "log_odds") -> Any:
    """Log-odds of two images by a victim that returns these numbers for them."""
    numbers = np.asarray(numbers)
    of = trompe.Victim(
        lambda images: numbers[images[:, 0, 0, 0]],
        classes=["a", "b", "c"],
        image=(1, 1, 1),
        output=output,
    )
    return of.log_odds(np.arange(2, dtype=np.uint8).reshape(2, 1, 1, 1))


def softmax(logits: Any) -> Any:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_numbers_mean_what_output_says() -> None:
    share = softmax(ODDS)
    expected = np.log(share / (1 - share))
    np.testing.assert_array_equal(returning(ODDS), ODDS)
    np.testing.assert_allclose(returning(ODDS, "logits"), expected, rtol=1e-12)
    np.testing.assert_allclose(returning(share, "probabilities"), expected, rtol=1e-10)
    sigmoid = 1 / (1 + np.exp(-ODDS))
    np.testing.assert_allclose(returning(sigmoid, "sigmoid"), ODDS, rtol=1e-10)


def test_certainty_that_rounds_to_one_keeps_its_order() -> None:
    logits = np.array([[60.0, 0.0, 1.0], [80.0, 0.0, 1.0]])
    odds = returning(logits, "logits")
    assert odds[1, 0] - odds[0, 0] == pytest.approx(20)
    # 1 - p of 32-bit probabilities is lost, their small parts are not.
    small = returning(
        np.array([[1.0, 1e-9, 0], [1.0, 1e-10, 0]], dtype=np.float32), "probabilities"
    )
    assert small[1, 0] > small[0, 0] > 20
    hard = returning([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], "probabilities")
    assert np.isfinite(hard).all() and hard[0, 0] == pytest.approx(27.63, abs=0.01)


@pytest.mark.parametrize(
    ("numbers", "output", "message"),
    [
        (ODDS[:, :2], "log_odds", r"shape \[2, 2\], not \[2, 3\]"),
        (ODDS[0], "log_odds", "output of the victim"),
        ([[0.0, np.nan, 0.0]] * 2, "log_odds", "NaN for class 'b' in row 0"),
        ([[0.0, 0.0, np.inf]] * 2, "logits", "inf for class 'c'"),
        ([["x", "y", "z"]] * 2, "log_odds", "dtype <U1, not of real numbers"),
        ([[1j, 0, 0]] * 2, "log_odds", "complex128"),
        ([[1.5, 0.0, -0.5]] * 2, "probabilities", "no probability"),
        ([[0.9, 0.9, 0.1]] * 2, "probabilities", "add up to 1.9"),
        ([[2.0, 0.0, 0.0]] * 2, "sigmoid", "no probability"),
    ],
)
def test_what_is_wrong_with_the_output_is_named(numbers: Any, output: Output, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        returning(numbers, output)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": None}, "audio, image"),
        ({"audio": 16_000}, "audio, image"),
        ({"image": (8, 8, 2)}, "image"),
        ({"image": (0, 8, 1)}, "image"),
        ({"image": None, "audio": 0}, "audio"),
        ({"classes": ["a"]}, "classes"),
        ({"classes": ["a", "a"]}, "'a' is there twice"),
        ({"output": "odds"}, "output"),
        ({"batch": 0}, "batch"),
        ({"seconds": 0}, "seconds"),
        ({"genuine": (np.zeros((1, 8, 8, 1)), ["grey"], None)}, "no class is called grey"),
        ({"genuine": (np.zeros((2, 8, 8, 1)), ["dark"], None)}, "2 inputs, 1 labels"),
        ({"genuine": (np.zeros((1, 9, 8, 1)), ["dark"], None)}, r"shape \[1, 9, 8, 1\]"),
        ({"genuine": (np.full((1, 8, 8, 1), 0.5), ["dark"], None)}, "0.5 is no pixel"),
    ],
)
def test_arguments_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        victim(**options)


def test_what_is_not_callable_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="function"):
        victim(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["view", "float16", "fortran", "list", "reversed", "kept"])
def test_any_array_may_come_back(name: str, tmp_path: Path) -> None:
    buffer = np.zeros((512, 4))
    kept: list[Any] = []

    def function(images: Any) -> Any:
        odds = np.round(brightness(images))  # exact in 16 bits
        if name == "view":
            buffer[: len(odds), 1:3] = odds
            return buffer[: len(odds), 1:3]
        if name == "float16":
            return odds.astype(np.float16)
        if name == "fortran":
            return np.asfortranarray(odds)
        if name == "list":
            return odds.tolist()
        if name == "reversed":
            return np.ascontiguousarray(odds[::-1])[::-1]
        kept.append(images)
        images[:] = 0  # its own array
        return odds

    trompe.fool(victim(function), **SHORT, out=tmp_path / "run")
    whole = lambda images: np.round(brightness(images))  # noqa: E731
    trompe.fool(victim(whole), **SHORT, out=tmp_path / "plain")
    assert content(tmp_path / "run") == content(tmp_path / "plain")


def test_inputs_are_as_stated() -> None:
    seen = []

    def images(inputs: Any) -> Any:
        seen.append((inputs.dtype, inputs.shape[1:], len(inputs)))
        return brightness(inputs)

    trompe.fool(victim(images, batch=7), **SHORT)
    assert {kind for kind, _, _ in seen} == {np.dtype(np.uint8)}
    assert {shape for _, shape, _ in seen} == {(8, 8, 1)}
    assert max(count for *_, count in seen) == 7

    heard = []

    def sounds(inputs: Any) -> Any:
        heard.append((inputs.dtype, inputs.shape[1], float(np.abs(inputs).max())))
        return crossings(inputs)

    run = trompe.fool(
        hearing(sounds), bank="synthetic-loops", budget=40, exhibits=1, random_candidates=5
    )
    assert {kind for kind, *_ in heard} == {np.dtype(np.float32)}
    # Candidates, delivered files and probes: a net may take one length alone.
    assert run.samples.shape[1] == 2 * 16_000
    assert {length for _, length, _ in heard} == {2 * 16_000}
    assert max(peak for *_, peak in heard) <= 1


class OutOfOrderError(Exception):
    """Nothing that the package knows."""


def failing(after: int) -> Any:
    left = [after]

    def function(images: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise OutOfOrderError("the disk of the model burns")
        return brightness(images)

    return function


@pytest.mark.parametrize("after", [0, 3])
def test_what_the_callable_raises_reaches_the_user_and_the_run_goes_on(
    after: int, tmp_path: Path
) -> None:
    with pytest.raises(OutOfOrderError, match="burns") as caught:
        trompe.fool(victim(failing(after)), **SHORT, out=tmp_path / "parts")
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "function", "the callable's own line"
    run = trompe.resume(tmp_path / "parts", victim())
    whole = trompe.fool(victim(), **SHORT, out=tmp_path / "whole")
    assert run.verify(victim())["passed"]
    left, right = content(whole.folder), content(run.folder)
    for name in ["trace.jsonl", "archive.json", "report.json", "fooling-set/manifest.json"]:
        assert left[name] == right[name]


def test_failures_in_every_verb_reach_the_user() -> None:
    run = trompe.fool(victim(), **SHORT)
    broken = victim(failing(0))
    verbs: list[Callable[[], object]] = [
        lambda: run.verify(broken),
        lambda: trompe.probe(broken),
        lambda: trompe.transfer(run, broken),
        lambda: trompe.predict(broken, [run.files[0]]),
        lambda: trompe.predict(broken, run.samples),
    ]
    for verb in verbs:
        with pytest.raises(OutOfOrderError, match="burns"):
            verb()


def test_the_callable_runs_where_the_user_called_from() -> None:
    threads = set()

    def function(images: Any) -> Any:
        threads.add(threading.get_ident())
        return brightness(images)

    trompe.fool(victim(function), **SHORT)
    assert threads == {threading.get_ident()}


def test_one_victim_serves_several_threads() -> None:
    shared = victim()
    runs: list[trompe.Run] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            runs.append(trompe.fool(shared, **SHORT))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    first = content(runs[0].folder)
    assert len(runs) == 4 and all(content(run.folder) == first for run in runs)


def test_a_victim_without_a_fingerprint_says_what_its_runs_cannot(tmp_path: Path) -> None:
    run = trompe.fool(victim(fingerprint=None), **SHORT, out=tmp_path / "run")
    assert not run.resumable
    assert any("neither resumed nor verified" in note for note in run.notes)
    with pytest.raises(ValueError, match="no fingerprint"):
        trompe.resume(tmp_path / "run", victim(fingerprint=None))
    with pytest.raises(ValueError, match="without a fingerprint"):
        run.verify(victim(fingerprint=None))


def genuine_images() -> tuple[Any, list[str], list[int]]:
    rng = np.random.default_rng(1)
    means = np.concatenate([rng.uniform(20, 110, 40), rng.uniform(140, 235, 40)])
    images = np.stack([np.full((8, 8, 1), round(mean), dtype=np.uint8) for mean in means])
    return images, ["dark"] * 40 + ["bright"] * 40, [number // 2 for number in range(80)]


def test_genuine_items_give_levels() -> None:
    of = victim(genuine=genuine_images())
    assert of.genuine_items == 80
    run = trompe.fool(of, level=0.5, **SHORT)
    assert len(run) > 0 and (run.levels >= 0.5 - 1e-9).all()
    verified = run.verify(of)
    assert verified["passed"] and verified["same_reference"] is True
    assert run.report["genuine"] is not None
    grey = np.full((1, 8, 8, 1), 60, dtype=np.uint8)
    (answer,) = trompe.predict(of, grey)
    assert answer["label"] == "dark" and 0 < answer["level"] < 1
    # Another reference gives other levels, and they are checked as such.
    images, labels, groups = genuine_images()
    other = victim(genuine=(images[::2], labels[::2], groups[::2]))
    assert run.verify(other)["same_reference"] is False
    with pytest.raises(ValueError, match="level"):
        trompe.fool(victim(), level=0.5, **SHORT)


def test_genuine_sounds_are_cut_to_the_excerpts() -> None:
    rng = np.random.default_rng(1)
    time = np.arange(3 * 16_000) / 16_000
    hums = [np.sin(2 * np.pi * pitch * time) * 0.5 for pitch in rng.uniform(100, 800, 20)]
    hisses = [rng.uniform(-0.5, 0.5, 3 * 16_000 - number) for number in range(20)]
    of = hearing(genuine=([*hums, *hisses], ["hum"] * 20 + ["hiss"] * 20))
    run = trompe.fool(
        of, bank="synthetic-loops", level=0.1, budget=60, exhibits=1, random_candidates=5
    )
    assert len(run) > 0 and (run.levels >= 0.1 - 1e-9).all()
    with pytest.raises(ValueError, match="other lengths|other lengths do not compare|level"):
        trompe.fool(of, bank="synthetic-loops", level=0.1, seconds=3.0, budget=60)


def test_gradients_are_followed() -> None:
    calls = []

    def gradient(pixels: Any, label: int) -> Any:
        calls.append((pixels.dtype, pixels.shape))
        sign = 1 if label == 1 else -1
        odds = sign * (pixels.mean() / 9 - 14)
        return odds, np.full(pixels.shape, sign / (9 * pixels.size))

    run = trompe.fool(victim(gradient=gradient), emitter="gradient-ascent", **SHORT)
    assert {(np.dtype(np.float32), (8, 8, 1))} == set(calls)
    assert set(run.labels) == {"dark", "bright"}
    with pytest.raises(ValueError, match="gradient"):
        trompe.fool(victim(), emitter="gradient-ascent", **SHORT)
    wrong = victim(gradient=lambda *_: (0.0, np.zeros(3)))
    with pytest.raises(ValueError, match="gradient of the victim"):
        trompe.fool(wrong, emitter="gradient-ascent", **SHORT)
    with pytest.raises(ValueError, match="gradient"):
        hearing(gradient=gradient)


def test_ties_have_no_label() -> None:
    even = victim(lambda images: np.zeros((len(images), 2)))
    assert even.predict(np.zeros((1, 8, 8, 1)))[0] == ""
    assert trompe.predict(even, np.zeros((1, 8, 8, 1)))[0]["label"] is None


def test_inputs_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"inputs: images of shape \[8, 8\]"):
        victim().predict(np.zeros((8, 8)))
    with pytest.raises(ValueError, match=r"inputs\[1\]: .*mono"):
        hearing().predict([np.zeros(16_000), np.zeros((2, 16_000))])
    with pytest.raises(ValueError, match=r"inputs\[0\]: NaN at place 3"):
        hearing().predict([np.array([0, 0, 0, np.nan])])


@pytest.mark.parametrize("of", [victim(), hearing()])
@pytest.mark.parametrize("nothing", [[], np.zeros((0, 8, 8, 1), dtype=np.uint8)])
def test_no_input_has_no_answer(of: trompe.Victim, nothing: Any) -> None:
    assert of.log_odds(nothing).shape == of.posteriors(nothing).shape == (0, 2)
    assert of.predict(nothing).shape == (0,) and of.predict(nothing).dtype.kind == "U"
    assert trompe.predict(of, nothing) == []


def test_no_input_of_another_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"inputs: images of shape \[0, 9, 8, 1\]"):
        victim().predict(np.zeros((0, 9, 8, 1)))
    with pytest.raises(ValueError, match="inputs: an array of dtype <U9"):
        victim().predict("image.png")
