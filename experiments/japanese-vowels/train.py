"""Trains a small InceptionTime-like network to tell nine speakers apart by two vowels (JapaneseVowels), and writes it with its test set.

    pip download --no-deps aeon==1.6.0 && unzip aeon-*.whl 'aeon/datasets/data/JapaneseVowels/*'
    python train.py aeon/datasets/data/JapaneseVowels

Writes ../../models/japanese-vowels*.{onnx,npy} and training-log.json here.
"""

import argparse
import json
import os
import pathlib
import platform
import sys
import time

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import numpy as np
import onnx
import optax
from onnx import helper

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent.parent / "models"
sys.path.insert(0, str(HERE.parent))

import onnx_in_jax as net

SEED = 20251122
EPOCHS, BATCH, PEAK_LEARNING_RATE, WEIGHT_DECAY = 60, 27, 5e-3, 1e-3
NOISE = 0.1  # standard deviation of what is added to every training value, as a share of its channel's
FILTERS, KERNELS, MODULES = 16, (3, 5, 9), 3
CHANNELS, LENGTH, SPEAKERS = 12, 25, 9


def read_ts(path):
    """(series [count, channels, length], classes counted from 0) of a .ts file of series of equal length."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "@"))]
    rows = [line.split(":") for line in lines]
    series = np.array([[[float(value) for value in channel.split(",")] for channel in row[:-1]] for row in rows], np.float32)
    return series, np.array([int(row[-1]) - 1 for row in rows])


def inception_module(graph, x, channels):
    """A 1x1 bottleneck, three lengths of convolution side by side with a pooled path, joined and normalised. Source: Fawaz et al., arXiv 1909.04939."""
    narrow = graph.bare_conv(x, channels, FILTERS, (1,))
    paths = [graph.bare_conv(narrow, FILTERS, FILTERS, (kernel,)) for kernel in KERNELS]
    paths.append(graph.bare_conv(graph.max_pool(x, 3, 1, 1), channels, FILTERS, (1,)))
    width = FILTERS * len(paths)
    return graph.relu(graph.norm(graph.node("Concat", paths, axis=1), width)), width


def build(mean, sd):
    graph = net.GraphBuilder("japanese-vowels", SEED, [CHANNELS, LENGTH])
    x, channels = standardise(graph, mean, sd), CHANNELS
    start, start_channels = x, channels
    for _ in range(MODULES):
        x, channels = inception_module(graph, x, channels)
    x = graph.relu(graph.node("Add", [x, graph.conv(start, start_channels, channels, (1,))]))
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], axis=1)
    return graph.finish(graph.dense(x, channels, SPEAKERS), SPEAKERS)


def standardise(graph, mean, sd):
    """A depthwise convolution of length 1, so that the file takes the series as they are; it is not trained."""
    weight = graph.weight("standardise.weight", (1 / sd)[:, None, None])
    bias = graph.weight("standardise.bias", -mean / sd)
    return graph.node("Conv", ["input", weight, bias], kernel_shape=[1], pads=[0, 0], strides=[1], group=CHANNELS)


def train(model, series, speakers):
    rng = np.random.default_rng(SEED)
    trainable, running = net.weights_of(model)
    fixed = {name: trainable.pop(name) for name in ("standardise.weight", "standardise.bias")}
    schedule = optax.cosine_onecycle_schedule(EPOCHS * (len(series) // BATCH), PEAK_LEARNING_RATE)
    optimiser = optax.adamw(schedule, weight_decay=WEIGHT_DECAY, mask={name: values.ndim > 1 for name, values in trainable.items()})
    state = optimiser.init(trainable)
    spread = series.std((0, 2))[None, :, None]

    @jax.jit
    def step(trainable, running, state, x, y):
        def objective(trainable):
            logits, seen = net.run(model, {**trainable, **fixed}, running, x, is_training=True)
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), seen

        (loss, running), gradient = jax.value_and_grad(objective, has_aux=True)(trainable)
        updates, state = optimiser.update(gradient, state, trainable)
        return optax.apply_updates(trainable, updates), running, state, loss

    losses = []
    for _ in range(EPOCHS):
        order, seen = rng.permutation(len(series)), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            noisy = series[chosen] + NOISE * spread * rng.normal(size=series[chosen].shape)
            trainable, running, state, loss = step(trainable, running, state, noisy.astype(np.float32), speakers[chosen])
            seen.append(loss)
        losses.append(round(float(np.mean(seen)), 5))
    return net.with_weights(model, {**trainable, **running}), losses


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path, help="folder of JapaneseVowels_eq_TRAIN.ts and JapaneseVowels_eq_TEST.ts")
    data = parser.parse_args().data
    files = {part: data / f"JapaneseVowels_eq_{part}.ts" for part in ("TRAIN", "TEST")}
    (series, speakers), (test_series, test_speakers) = (read_ts(path) for path in files.values())
    assert series.shape[1:] == test_series.shape[1:] == (CHANNELS, LENGTH)

    started = time.process_time()
    model, losses = train(build(series.mean((0, 2)), series.std((0, 2))), series, speakers)
    duration = time.process_time() - started
    helper.set_model_props(model, {"dse.trained_on": "JapaneseVowels", "dse.seed": str(SEED)})
    correct = int((net.predict(model, test_series).argmax(1) == test_speakers).sum())

    names = ("japanese-vowels.onnx", "japanese-vowels-test.npy", "japanese-vowels-test-labels.npy", "japanese-vowels-calibration.npy")
    written = {name: MODELS / name for name in names}
    net.save(model, written[names[0]])
    np.save(written[names[1]], test_series)
    np.save(written[names[2]], test_speakers.astype(np.uint8))
    np.save(written[names[3]], series[::2])

    versions = {library.__name__: library.__version__ for library in (jax, np, optax, onnx)}
    log = {
        "seed": SEED,
        "settings": {"epochs": EPOCHS, "batch": BATCH, "peak_learning_rate": PEAK_LEARNING_RATE, "weight_decay": WEIGHT_DECAY, "noise": NOISE},
        "versions": {"python": platform.python_version(), **versions},
        "parameters": net.parameter_count(model),
        "mean_training_loss": losses,
        "training_cpu_s": round(duration, 1),
        "training_series": len(series),
        "test_series": len(test_series),
        "test_correct": correct,
        "sha256": {path.name: net.sha256(path) for path in [*files.values(), *written.values()]},
    }
    (HERE / "training-log.json").write_text(json.dumps(log, indent=2) + "\n")
    print({key: value for key, value in log.items() if key != "mean_training_loss"}, losses[:2], losses[-2:])


if __name__ == "__main__":
    main()
