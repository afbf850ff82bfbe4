"""Draws source files of known type from open-source packages and writes what magika's network takes of each: ../../models/magika/test*.npy.

    npm ci                                              # in the root of dse: JavaScript, TypeScript, JSON, Markdown, YAML
    pip install -r requirements.txt --target packages   # here: Python, C, C++, Fortran, Protocol Buffers, CSV
    pip download --no-deps magika==1.0.3 && unzip magika-*.whl 'magika/models/*'
    python draw-test-set.py ../../node_modules packages magika/models/standard_v3_3

A file's type is what its name ends in; endings that more than one type uses (.h, .txt) are left out. Only packages under the licences listed are drawn from.
"""

import argparse
import hashlib
import json
import pathlib
import re
import shutil

import numpy as np

SEED = 20251122
FILES_PER_TYPE = 15
MOST_FROM_A_PACKAGE = 3
LICENCES = {"MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "BlueOak-1.0.0"}
# Of the packages in requirements.txt, as their metadata say.
PYTHON_LICENCES = {"numpy": "BSD-3-Clause", "jax": "Apache-2.0", "onnx": "Apache-2.0", "optax": "Apache-2.0", "aeon": "BSD-3-Clause", "scipy": "BSD-3-Clause"}
TYPES = {
    ".js": "javascript", ".cjs": "javascript", ".mjs": "javascript", ".ts": "typescript", ".mts": "typescript", ".json": "json",
    ".md": "markdown", ".yml": "yaml", ".yaml": "yaml", ".py": "python", ".c": "c", ".cc": "cpp", ".cpp": "cpp",
    ".f90": "fortran", ".f": "fortran", ".proto": "proto", ".csv": "csv",
}

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent.parent / "models" / "magika"


def features(content, config):
    """The first and the last bytes of the stripped file, padded: magika.py, `_extract_features_from_bytes`, version 1.0.3."""
    begin, end, pad = config["beg_size"], config["end_size"], config["padding_token"]
    block = config["block_size"]
    if len(content) <= block:
        first = last = content.strip()
    else:
        first, last = content[:block].lstrip(), content[-block:].rstrip()
    head, tail = list(first[:begin]), list(last[-end:]) if last else []
    return head + [pad] * (begin - len(head)) + [pad] * (end - len(tail)) + tail


def node_files(root):
    for manifest in sorted([*root.glob("*/package.json"), *root.glob("@*/*/package.json")]):
        try:
            about = json.loads(manifest.read_text())
        except ValueError:
            continue
        if not isinstance(about, dict) or about.get("license") not in LICENCES or not about.get("version"):
            continue
        for path in sorted(manifest.parent.rglob("*")):
            if path.suffix in TYPES and "node_modules" not in path.relative_to(manifest.parent).parts and path.is_file():
                yield f"{about['name']}@{about['version']}", about["license"], path, path.relative_to(manifest.parent)


def python_files(root):
    for package, licence in PYTHON_LICENCES.items():
        (about,) = root.glob(f"{package}-*.dist-info")
        for path in sorted((root / package).rglob("*")):
            if path.suffix in TYPES and path.is_file():
                yield about.name.removesuffix(".dist-info"), licence, path, path.relative_to(root)


def candidates(node_root, python_root):
    """By type: package, licence, path. One of each content."""
    seen, by_type = set(), {}
    for package, licence, path, inside in [*node_files(node_root), *python_files(python_root)]:
        kind = TYPES.get(path.suffix)
        if kind is None:
            continue
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if len(content.strip()) < 64 or digest in seen:
            continue
        seen.add(digest)
        by_type.setdefault(kind, []).append((package, licence, str(inside), digest, content))
    return by_type


def draw(files, rng):
    taken, of_package = [], {}
    for index in rng.permutation(len(files)):
        package = files[index][0]
        if of_package.get(package, 0) < MOST_FROM_A_PACKAGE or re.match(r"(numpy|jax|onnx|optax|aeon|scipy)-", package):
            of_package[package] = of_package.get(package, 0) + 1
            taken.append(files[index])
        if len(taken) == FILES_PER_TYPE:
            break
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("node_modules", "packages", "magika"):
        parser.add_argument(name, type=pathlib.Path)
    arguments = parser.parse_args()
    config = json.loads((arguments.magika / "config.min.json").read_text())
    classes = config["target_labels_space"]
    by_type = candidates(arguments.node_modules, arguments.packages)
    rng = np.random.default_rng(SEED)
    drawn = [(kind, *file) for kind in sorted(by_type) for file in draw(by_type[kind], rng)]
    MODELS.mkdir(exist_ok=True)
    np.save(MODELS / "test.npy", np.array([features(content, config) for *_, content in drawn], np.int16))
    np.save(MODELS / "test-labels.npy", np.array([classes.index(kind) for kind, *_ in drawn], np.uint8))
    shutil.copyfile(arguments.magika / "model.onnx", MODELS / "magika-3.3.onnx")
    files = [{"type": kind, "package": package, "licence": licence, "path": path, "sha256": digest} for kind, package, licence, path, digest, _ in drawn]
    written = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(MODELS.iterdir())}
    log = {"seed": SEED, "files": files, "sha256": written}
    (HERE / "test-set.json").write_text(json.dumps(log, indent=1) + "\n")
    print({kind: (len(by_type[kind]), sum(1 for file in files if file["type"] == kind)) for kind in sorted(by_type)}, written)


if __name__ == "__main__":
    main()
