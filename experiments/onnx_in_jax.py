"""ONNX graphs as the one description of a network: built here, trained here with JAX, and read back as dse wrote them.

Only what the networks of these experiments need: convolutions over one or two dimensions, batch normalisation, pooling, additions, concatenations, matrix products.
"""

import hashlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BATCH_NORM_MOMENTUM = 0.9


class GraphBuilder:
    """Adds nodes one after another; every method takes and returns the name of a value. Weights are drawn from the seed in that order."""

    def __init__(self, name, seed, input_shape):
        self.name, self.rng, self.nodes, self.weights = name, np.random.default_rng(seed), [], {}
        self.input_shape = input_shape

    def node(self, operator, inputs, **attributes):
        name = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def weight(self, name, values):
        self.weights[name] = np.asarray(values, np.float32)
        return name

    def conv(self, x, inputs, outputs, kernel, stride=1, groups=1):
        """Convolution over as many dimensions as `kernel` has, padded to the input's size over the stride, and its batch normalisation."""
        return self.norm(self.bare_conv(x, inputs, outputs, kernel, stride, groups), outputs)

    def bare_conv(self, x, inputs, outputs, kernel, stride=1, groups=1):
        at = f"conv{len(self.nodes)}"
        shape = (outputs, inputs // groups, *kernel)
        weight = self.weight(f"{at}.weight", self.rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape))
        sizes = [*[(size - 1) // 2 for size in kernel], *[size // 2 for size in kernel]]
        return self.node("Conv", [x, weight], kernel_shape=list(kernel), pads=sizes, strides=[stride] * len(kernel), group=groups)

    def norm(self, x, channels):
        at = f"norm{len(self.nodes)}"
        parts = {"scale": np.ones, "bias": np.zeros, "mean": np.zeros, "var": np.ones}
        return self.node("BatchNormalization", [x, *[self.weight(f"{at}.{part}", fill(channels)) for part, fill in parts.items()]])

    def dense(self, x, inputs, outputs):
        at = f"fc{len(self.nodes)}"
        weight = self.weight(f"{at}.weight", self.rng.normal(0, np.sqrt(1 / inputs), (outputs, inputs)))
        return self.node("Gemm", [x, weight, self.weight(f"{at}.bias", np.zeros(outputs))], transB=1)

    def relu(self, x):
        return self.node("Relu", [x])

    def max_pool(self, x, kernel, stride, pad=0):
        rank = len(self.input_shape) - 1
        return self.node("MaxPool", [x], kernel_shape=[kernel] * rank, strides=[stride] * rank, pads=[pad] * 2 * rank)

    def finish(self, x, classes):
        """The model as a protobuf, with `x` as its logits and the batch axis open."""
        self.nodes[-1].output[0] = "logits"
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", *self.input_shape])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
            [numpy_helper.from_array(values, name) for name, values in self.weights.items()],
        )
        return helper.make_model(graph, producer_name="dse experiments", ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def weights_of(model):
    """(trainable, running): what gradients move, and the batch normalisations' running statistics."""
    floats = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if t.data_type == TensorProto.FLOAT}
    running = {name for node in model.graph.node if node.op_type == "BatchNormalization" for name in node.input[3:5]}
    pick = lambda wanted: {name: jnp.asarray(values) for name, values in floats.items() if (name in running) == wanted}
    return pick(False), pick(True)


def run(model, trainable, running, x, is_training=False):
    """(logits, running statistics after this batch). While training, batch normalisation uses the batch's own statistics."""
    values = {**trainable, **running, model.graph.input[0].name: x}
    for tensor in model.graph.initializer:
        if tensor.name not in values:
            values[tensor.name] = numpy_helper.to_array(tensor)
    updated = dict(running)
    for node in model.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        inputs = [values[name] if name else None for name in node.input]
        if node.op_type == "BatchNormalization":
            out, mean, var = batch_norm(*inputs, attributes.get("epsilon", 1e-5), is_training)
            if is_training:
                for name, seen in zip(node.input[3:5], (mean, var)):
                    updated[name] = BATCH_NORM_MOMENTUM * running[name] + (1 - BATCH_NORM_MOMENTUM) * seen
        else:
            out = OPERATORS[node.op_type](inputs, attributes)
        values[node.output[0]] = out
    return values[model.graph.output[0].name], updated


def batch_norm(x, scale, bias, mean, var, epsilon, is_training):
    if is_training:
        axes = (0, *range(2, x.ndim))
        mean, var = x.mean(axes), x.var(axes)
    wide = (slice(None), *[None] * (x.ndim - 2))
    return (x - mean[wide]) * (scale / jnp.sqrt(var + epsilon))[wide] + bias[wide], mean, var


def conv(inputs, attributes):
    x, weight = inputs[:2]
    rank = x.ndim - 2
    pads = attributes.get("pads", [0] * 2 * rank)
    pads = list(zip(pads[:rank], pads[rank:]))
    strides = tuple(attributes.get("strides", [1] * rank))
    groups = attributes.get("group", 1)
    if groups == 1:
        letters = "HW"[-rank:]
        numbers = (f"NC{letters}", f"OI{letters}", f"NC{letters}")
        out = jax.lax.conv_general_dilated(x, weight, strides, pads, dimension_numbers=numbers)
    else:
        out = depthwise(x, weight, strides, pads)
    bias = inputs[2] if len(inputs) > 2 else None
    return out if bias is None else out + bias[(slice(None), *[None] * rank)]


def depthwise(x, weight, strides, pads):
    """A sum over the kernel's places: XLA's grouped convolutions on CPUs are an order of magnitude slower."""
    sizes = weight.shape[2:]
    padded = jnp.pad(x, ((0, 0), (0, 0), *pads))
    lengths = [(padded.shape[2 + axis] - size) // strides[axis] + 1 for axis, size in enumerate(sizes)]
    total = 0
    for place in np.ndindex(*sizes):
        window = [slice(at, at + (length - 1) * stride + 1, stride) for at, length, stride in zip(place, lengths, strides)]
        total = total + padded[(slice(None), slice(None), *window)] * weight[(slice(None), 0, *place)][(slice(None), *[None] * len(sizes))]
    return total


def max_pool(inputs, attributes):
    (x,) = inputs
    rank = x.ndim - 2
    kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1] * rank)
    pads = attributes.get("pads", [0] * 2 * rank)
    pads = ((0, 0), (0, 0), *zip(pads[:rank], pads[rank:]))
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, *kernel), (1, 1, *strides), pads)


def gemm(inputs, attributes):
    x, weight = inputs[:2]
    out = x @ (weight.T if attributes.get("transB", 0) else weight)
    return out + inputs[2] if len(inputs) > 2 else out


OPERATORS = {
    "Conv": conv,
    "Gemm": gemm,
    "MaxPool": max_pool,
    "Relu": lambda inputs, _: jax.nn.relu(inputs[0]),
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "Concat": lambda inputs, attributes: jnp.concatenate(inputs, attributes["axis"]),
    "GlobalAveragePool": lambda inputs, _: inputs[0].mean(tuple(range(2, inputs[0].ndim)), keepdims=True),
    "Flatten": lambda inputs, _: inputs[0].reshape(inputs[0].shape[0], -1),
    "Reshape": lambda inputs, _: inputs[0].reshape(inputs[0].shape[0], -1),
}


def with_weights(model, weights):
    """A copy of the model that holds these weights."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if tensor.name in weights:
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(weights[tensor.name], np.float32), tensor.name))
    return copy


def parameter_count(model):
    trainable, _ = weights_of(model)
    return int(sum(values.size for values in trainable.values()))


def predict(model, x, batch=1000):
    trainable, running = weights_of(model)
    answer = jax.jit(lambda x: run(model, trainable, running, x)[0])
    return np.concatenate([np.asarray(answer(x[at : at + batch])) for at in range(0, len(x), batch)])


def add_lineage(model, base, step):
    """What dse reads as a file's history: the base file's digest, and what was done since."""
    known = {p.key: p.value for p in model.metadata_props}
    before = json.loads(known["dse.lineage"]) if "dse.lineage" in known else {"base": base, "steps": []}
    lineage = {"base": before["base"], "steps": [*before["steps"], step]}
    helper.set_model_props(model, {**known, "dse.lineage": json.dumps(lineage, separators=(",", ":"))})


def save(model, path):
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
