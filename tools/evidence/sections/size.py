"""`lathe inspect`'s size group against Python's own gzip and numpy, on every model."""
import gzip

import lathe
import numpy as np
import tables
from ai_edge_litert import schema_py_generated as schema

# Of the estimate for files above 4 MiB.
GZIP_ERROR_MAX = 0.02
TYPES = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16, schema.TensorType.INT8: np.int8,
         schema.TensorType.INT32: np.int32, schema.TensorType.UINT8: np.uint8, schema.TensorType.INT64: np.int64,
         schema.TensorType.INT16: np.int16}


def run(checks, only):
    table = tables.Table("Sizes by `lathe inspect`, and how far gzip is from `gzip -6`", "model", "bytes", "gzip", "off", "zstd", "weights",
                         "zero", "largest constant: values, bits each")
    for model in sorted((lathe.shared_dir() / "models").glob("*.tflite")):
        if only and model.stem not in only:
            continue
        size = lathe.run("inspect", str(model))["size"]
        data = model.read_bytes()
        reference = len(gzip.compress(data, 6))
        off = size["gzip_bytes"] / reference - 1
        largest = size["tensors"][0]
        values = f"{largest['distinct_values']}, {largest['entropy_bits']:.2f}" if "distinct_values" in largest else "over 4096"
        table.row(model.stem, size["bytes"], size["gzip_bytes"], f"{off:+.3%}", size["zstd_bytes"], size["weights_bytes"],
                  f"{size['zero_share']:.1%}", values)
        bound = GZIP_ERROR_MAX if size["gzip_estimated"] else 0.0001  # the name of the file is not in ours
        checks.at_most(f"size of {model.stem}: gzip off", abs(off), bound, digits=5)
        _check_tensors(checks, model.stem, data, size["tensors"])


def _check_tensors(checks, name, data, rows):
    """Zeros, distinct values and entropy of every listed constant, counted by numpy."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    tensors = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensors.setdefault((tensor.name or b"").decode(errors="replace"), tensor)
    wrong = 0
    for row in rows:
        tensor = tensors[row["name"]]
        raw = model.buffers[tensor.buffer].data
        if tensor.type not in TYPES or raw is None or len(raw) != row["bytes"]:
            continue
        values = np.frombuffer(bytes(raw), TYPES[tensor.type])
        zero_points = tensor.quantization.zeroPoint if tensor.quantization is not None else None
        zero = zero_points[0] if zero_points is not None and len(zero_points) == 1 else 0
        patterns, counts = np.unique(values.view(f"u{values.itemsize}"), return_counts=True)
        shares = counts / values.size
        right = abs(np.mean(values == zero) - row["zero_share"]) < 1e-9
        if "distinct_values" in row:
            right &= len(patterns) == row["distinct_values"] and abs(-np.sum(shares * np.log2(shares)) - row["entropy_bits"]) < 1e-6
        else:
            right &= len(patterns) > 4096
        wrong += not right
    checks.at_most(f"size of {name}: constants counted otherwise than by numpy", wrong, 0, digits=0)
