"""Fool a scikit-learn pipeline on AdaBFFs features, trained here on a corpus of sound."""

import pickle
import sys

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import trompe

clips = trompe.corpus(sys.argv[1] if len(sys.argv) > 1 else "synthetic")
model = make_pipeline(trompe.AdaBFFs(n_jobs=-1), StandardScaler(), LogisticRegression(max_iter=500))
model.fit(clips, clips.labels)
victim = trompe.from_sklearn(
    model, audio=22_050, seconds=10, batch=16, fingerprint=pickle.dumps(model)
)
run = trompe.fool(victim, bank="synthetic-loops", threshold=0.99, budget=200, random_candidates=100)
print(run)
print("verified:", run.verify(victim)["passed"])
