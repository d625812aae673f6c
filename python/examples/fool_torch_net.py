"""Fool a net of PyTorch that is trained here on MNIST, by its gradient."""

import hashlib

import torch

import trompe

torch.manual_seed(1)
train = trompe.images("mnist").split("train")
pixels = torch.frombuffer(bytearray(train.pixels.tobytes()), dtype=torch.uint8).reshape(
    -1, 1, 28, 28
)
targets = torch.tensor(train.targets.tolist())
net = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 5, stride=2),
    torch.nn.ReLU(),
    torch.nn.Flatten(),
    torch.nn.Linear(8 * 12 * 12, 10),
)
optimizer = torch.optim.Adam(net.parameters(), lr=0.002)
for _ in range(300):
    chosen = torch.randint(len(targets), (128,))
    loss = torch.nn.functional.cross_entropy(net(pixels[chosen] / 255), targets[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

weights = str([tensor.tolist() for tensor in net.parameters()])
victim = trompe.from_torch(
    net.eval(),
    classes=train.classes,
    image=(28, 28, 1),
    fingerprint=hashlib.sha256(weights.encode()).hexdigest(),
)
run = trompe.fool(victim, emitter="gradient-ascent", budget=3_000, random_candidates=200)
print(run)
print("verified:", run.verify(victim)["passed"])
