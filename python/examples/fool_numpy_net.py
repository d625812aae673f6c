"""Fool a net of numpy that is trained here on MNIST."""

import numpy as np

import trompe

train = trompe.images("mnist").split("train")
rng = np.random.default_rng(1)
w1, w2 = rng.normal(0, 0.05, (784, 64)), rng.normal(0, 0.1, (64, 10))
for _ in range(600):
    chosen = rng.integers(0, len(train), 128)
    x = train.pixels[chosen].reshape(128, 784) / 255
    hidden = np.maximum(x @ w1, 0)
    shares = np.exp(hidden @ w2)
    error = shares / shares.sum(axis=1, keepdims=True) - np.eye(10)[train.targets[chosen]]
    w1, w2 = (
        w1 - 0.2 / 128 * x.T @ (error @ w2.T * (hidden > 0)),
        w2 - 0.2 / 128 * hidden.T @ error,
    )

victim = trompe.Victim(
    lambda images: np.maximum(images.reshape(-1, 784) / 255 @ w1, 0) @ w2,
    classes=train.classes,
    image=(28, 28, 1),
    output="logits",
    fingerprint=w1.tobytes() + w2.tobytes(),
)
run = trompe.fool(victim, budget=5_000, random_candidates=200)
print(run)
print("verified:", run.verify(victim)["passed"])
