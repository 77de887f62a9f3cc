"""Data files: memory and speed with files of 4 GB, every format beside .npz, and an error of its own for every kind of bad data."""
import io
import json
import subprocess
import time
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from PIL import Image

import lathe
import tables

OUT = lathe.ROOT / "build/evidence/data"
MIB = 1 << 20
FILE_BYTES = 4_000_000_000
RSS_MIB_MAX = 500
IMAGE = (224, 224, 3)
CHUNK = 64  # samples made at once


def _evaluate(model, data, *arguments):
    """(answer, seconds, peak of the executor in MiB, infinite if it does not say: a child's maximum as the kernel tells it begins at
    that of its parent)."""
    started = time.monotonic()
    command = [str(lathe.program()), "evaluate", str(model), "--data", str(data), "--metric", "top1", *arguments, "--json"]
    with open(OUT / "answer.json", "w+b") as answer, open(OUT / "errors.txt", "w+b") as errors:
        process = subprocess.Popen(command, stdout=answer, stderr=errors)
        process.wait()
        answer.seek(0)
        parsed = json.loads(answer.read() or b"{}")
    return parsed, time.monotonic() - started, parsed.get("peak_rss_bytes", float("inf")) / 2**20


def _accuracy(answer):
    return answer.get("accuracy", {}).get("input")


def _chunks(count):
    """Random images in 0..1 of float32, which no compression makes much smaller."""
    random = np.random.default_rng(1)
    for begin in range(0, count, CHUNK):
        yield random.random((min(CHUNK, count - begin), *IMAGE), dtype=np.float32)


def _write_parquet(path, count):
    """One row group: from an array on disk, because Arrow keeps a row group that is written in parts in memory."""
    raw = path.with_suffix(".raw")
    size = int(np.prod(IMAGE))
    values = np.memmap(raw, np.float32, "w+", shape=(count, size))
    at = 0
    for chunk in _chunks(count):
        values[at:at + len(chunk)] = chunk.reshape(len(chunk), -1)
        at += len(chunk)
    flat = pa.Array.from_buffers(pa.float32(), count * size, [None, pa.py_buffer(values)])
    images = pa.FixedSizeListArray.from_arrays(flat, size)
    table = pa.table({"image": images, "label": np.arange(count) % 1000})
    pq.write_table(table, path, row_group_size=count, compression="none", use_dictionary=False, write_statistics=False)
    del table, images, flat, values
    raw.unlink()
    assert pq.ParquetFile(path).num_row_groups == 1


def _write_npz(path, count):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("image.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": (count, *IMAGE)})
            for chunk in _chunks(count):
                member.write(chunk.tobytes())
        labels = io.BytesIO()
        np.save(labels, np.arange(count) % 1000)
        archive.writestr("label.npy", labels.getvalue())


def _large_files(checks):
    model = lathe.shared_dir() / "models/mobilenet_v2_1.0_224_random.tflite"
    image_bytes = 4 * int(np.prod(IMAGE))
    count = FILE_BYTES // image_bytes + 1
    # Deflate takes about a tenth off random floats in 0..1.
    plans = [("Parquet, one row group", OUT / "large.parquet", _write_parquet, count),
             ("npz, deflated", OUT / "large.npz", _write_npz, int(count * 1.2))]
    table = tables.Table(f"Files of {FILE_BYTES / 1e9:.0f} GB, `lathe evaluate --metric top1`, {model.stem}", "file", "GB", "samples", "seconds",
                         "MB/s unpacked", "peak MiB")
    for name, path, write, samples in plans:
        try:
            write(path, samples)
            size = path.stat().st_size
            checks.at_least(f"{name}: bytes", size, FILE_BYTES)
            answer, seconds, peak = _evaluate(model, path)
            if _accuracy(answer) is None:
                checks.fail(f"{name}: {answer}")
                continue
            table.row(name, f"{size / 1e9:.2f}", samples, f"{seconds:.1f}", f"{samples * image_bytes / seconds / 1e6:.0f}", f"{peak:.0f}")
            checks.at_most(f"{name}: peak memory", peak, RSS_MIB_MAX, " MiB", 0)
        finally:
            path.unlink(missing_ok=True)
            path.with_suffix(".raw").unlink(missing_ok=True)


def _png(pixels):
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    return encoded.getvalue()


def _formats(checks):
    """The same samples in every format give the same accuracy."""
    folder = lathe.shared_dir() / "data/fashion"
    model = folder / "fm_mnv2.tflite"
    test = np.load(folder / "test.npz")
    pixels = test["image"].reshape(-1, 28, 28)
    images = [_png(image) for image in pixels]
    label = pa.array(test["label"])
    lists = pa.FixedSizeListArray.from_arrays(pa.array(pixels.ravel()), 784)
    encoded = pa.table({"image": pa.array(images, pa.binary()), "label": label})
    structs = pa.table({"image": pa.array([{"bytes": image, "path": None} for image in images]), "label": label})
    tensors = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), (28, 28)), lists)
    writers = {"npz": lambda path: np.savez_compressed(path, image=test["image"], label=test["label"]),
               "parquet": lambda path: pq.write_table(pa.table({"image": lists, "label": label}), path),
               "parquet of PNG": lambda path: pq.write_table(encoded, path),
               "parquet of PNG structs": lambda path: pq.write_table(structs, path),
               "arrow of tensors": lambda path: _write_ipc(pa.ipc.new_file, path, pa.table({"image": tensors, "label": label})),
               "arrow stream": lambda path: _write_ipc(pa.ipc.new_stream, path, pa.table({"image": lists, "label": label}))}
    table = tables.Table(f"{len(images)} images of Fashion-MNIST in every format, {model.stem}", "format", "bytes", "top-1", "seconds", "peak MiB")
    expected = None
    for name, write in writers.items():
        path = OUT / ("fashion." + ("npz" if name == "npz" else "data"))
        write(path)
        answer, seconds, peak = _evaluate(model, path, "--scale", str(1 / 255))
        accuracy = _accuracy(answer)
        expected = accuracy if expected is None else expected
        table.row(name, path.stat().st_size, accuracy, f"{seconds:.2f}", f"{peak:.0f}")
        if accuracy is None or accuracy != expected:
            checks.fail(f"{name}: top-1 {accuracy}, npz has {expected}: {answer.get('error')}")
        path.unlink()


def _write_ipc(new, path, table):
    with new(path, table.schema) as writer:
        writer.write_table(table)


def _table(path, image, label=(1, 2), **options):
    pq.write_table(pa.table({"image": image, "label": pa.array(label)}), path, **options)


def _flip(path, at):
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0xFF
    path.write_bytes(data)


def _corrupt_page(path):
    _table(path, pa.FixedSizeListArray.from_arrays(pa.array(np.arange(200 * 784, dtype=np.float32)), 784), range(200),
           use_dictionary=False, compression="none", write_page_checksum=True)
    _flip(path, 0.3)


def _cut(path):
    _table(path, pa.array([[0.5] * 784] * 2, pa.list_(pa.float32())))
    path.write_bytes(path.read_bytes()[:-200])


def _bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("image.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (400_000, 784)})
            for _ in range(400):
                member.write(bytes(1000 * 784))


def _bad_data(checks):
    floats = pa.list_(pa.float32())
    good = [[0.5] * 784] * 2
    cases = {
        "wrong shape": (lambda p: _table(p, pa.array([[0.5] * 100] * 2, floats)), "expected 784 elements"),
        "wrong type": (lambda p: _table(p, pa.array(["a", "b"])), "expected numbers"),
        "integers without a scale": (lambda p: _table(p, pa.array([[1] * 784] * 2)), "--scale"),
        "wrong names": (lambda p: pq.write_table(pa.table({"a": pa.array(good, floats), "b": pa.array(good, floats)}), p), "no column for"),
        "no labels": (lambda p: pq.write_table(pa.table({"image": pa.array(good, floats)}), p), "no column 'label'"),
        "NaN": (lambda p: _table(p, pa.array([[0.5] * 783 + [float("nan")]] * 2, floats)), "element 783 is NaN"),
        "infinity": (lambda p: _table(p, pa.array([[0.5] * 783 + [float("inf")]] * 2, floats)), "element 783 is infinite"),
        "null": (lambda p: _table(p, pa.array([[0.5] * 784, None], floats)), "is null"),
        "ragged lists": (lambda p: _table(p, pa.array([[0.5] * 784, [0.5]], floats)), "a list has 1 elements"),
        "no samples": (lambda p: _table(p, pa.array([], floats), pa.array([], pa.int64())), "no samples"),
        "bytes that are no image": (lambda p: _table(p, pa.array([b"hello", b"x"], pa.binary())), "expected a PNG or JPEG"),
        "image of another size": (lambda p: _table(p, pa.array([_png(np.zeros((8, 9), np.uint8))] * 2, pa.binary())), "8 pixels high and 9 wide"),
        "cut image": (lambda p: _table(p, pa.array([_png(np.zeros((28, 28), np.uint8))[:-30]] * 2, pa.binary())), "PNG image is damaged"),
        "corrupt Parquet page": (_corrupt_page, "damaged"),
        "cut file": (_cut, "damaged"),
        "zip bomb": (_bomb, "more than 100 : 1"),
        "encrypted": (lambda p: p.write_bytes(b"PARE" + bytes(100) + b"\x10\0\0\0PARE"), "encrypted"),
        "no data file": (lambda p: p.write_bytes(b"hello, world"), "not a .npz"),
    }
    table = tables.Table("Bad data, and what `lathe evaluate` says", "kind", "reason", "message")
    seen = {}
    for kind, (write, expected) in cases.items():
        path = OUT / "bad.data"
        write(path)
        scale = ["--scale", "1"] if "image" in kind else []
        answer, _, _ = _evaluate(lathe.shared_dir() / "data/fashion/fm_mnv2.tflite", path, *scale)
        path.unlink()
        error = answer.get("error", {})
        message = error.get("message", "no error")
        table.row(kind, error.get("reason"), message.replace("|", "/")[:160])
        if expected not in message or "bad.data" not in message or not error.get("reason", "").startswith("DATA_"):
            checks.fail(f"{kind}: {error}")
        elif message in seen:
            checks.fail(f"{kind}: the same error as {seen[message]}")
        else:
            checks.count += 1
        seen[message] = kind


def run(checks, only):
    del only  # the models are fixed
    OUT.mkdir(parents=True, exist_ok=True)
    _bad_data(checks)
    _formats(checks)
    _large_files(checks)
