"""Reports for the page's test: one with every group that a job can measure, those of other commands, and a hostile one."""


def _weights(name, size):
    return {"name": name, "bytes": size, "weights": size, "tensors": 5, "zero_share": 0.1}


def _size(size):
    return {"bytes": size, "weights_bytes": size - 10000, "graph_bytes": 10000, "gzip_bytes": size - 20000, "weights": 240000, "zero_share": 0.1,
            "by_operator": [_weights("CONV_2D", size - 60000), _weights("FULLY_CONNECTED", 50000)], "by_type": [_weights("int8", size - 10000)],
            "tensors": [{"name": "kernel", "kind": "CONV_2D", "type": "int8", "shape": [3, 3, 8, 8], "bytes": 576, "weights": 576,
                         "zero_share": 0.1, "distinct_values": 200, "entropy_bits": 6.5}]}


def full():
    operators = [{"subgraph": 0, "index": i, "kind": "CONV_2D" if i % 3 else "ADD", "name": f"block_{i}/output",
                  "precision": "float32" if i % 7 == 0 else "int8", "reason": "kept for accuracy" if i % 7 == 0 else "",
                  "sqnr_db": 45 - i * 0.4, "ms": 0.02 + 0.013 * (i * 7 % 11)} for i in range(40)]
    stages = [{"stage": stage, "setting": setting, **({"sqnr_before_db": before} if before else {}), "sqnr_after_db": after, "kept": after > (before or 39),
               "seconds": 0.4, "reason": "", "bytes": size}
              for stage, setting, before, after, size in
              [("equalization", "cross-layer", 30.1, 29.0, 251000), ("ranges", "min-error", 30.1, 33.5, 250000),
               ("rounding", "gptq, descent", 33.5, 36.2, 250000), ("fallback", "1 of 40 operators in int16x8", None, 38.0, 280000),
               ("fallback", "3 of 40 operators in int16x8", None, 40.0, 340000)]]
    ranges = [{"name": f"tensor_{i}", "algorithm": "percentile", "min": -2.0 - i, "max": 6.0, "chosen_min": -1.5, "chosen_max": 5.0}
              for i in range(20)]
    histograms = [{"name": f"weights_{i}", "bytes_before": 4096, "bytes_after": 1024, "min": -1.0, "max": 1.0,
                   "before": [int(100 * (1 - abs(b - 32) / 32)) for b in range(64)],
                   "after": [int(100 * (1 - abs(b - 32) / 32)) + b % 3 for b in range(64)]} for i in range(8)]
    clipping = [{"name": f"tensor_{i}", "min": -2.0 - i, "max": 6.0, "chosen_min": -1.5, "chosen_max": 5.0, "scale": 0.0255, "zero_point": -69,
                 "clipped_share": 0.002 / (i + 1), "sqnr_db": 28.5, "values": 400000, "counts": [int(90000 * 0.7 ** abs(b - 16 - 2 * i)) for b in range(64)]}
                for i in range(3)]
    return {
        "input": {"bytes": 1000000, "zstd_bytes": 900000, "sha256": "aa" * 32},
        "output": {"bytes": 260000, "zstd_bytes": 200000, "sha256": "bb" * 32},
        "latency": {"input_ms": 2.0, "output_ms": 1.1, "input_p90_ms": 2.4, "output_p90_ms": 1.3, "input_runs": 50,
                    "output_runs": 50, "threads": 2, "ratio": 0.55, "ratio_low": 0.5, "ratio_high": 0.6, "ranking": "faster", "rounds": 20},
        "accuracy": {"metric": "top1", "input": 0.912, "output": 0.909, "samples": 1000, "unit": "fraction", "higher_is_better": True,
                     "also": [{"metric": "top5", "input": 0.99, "output": 0.988}], "difference": -0.003, "difference_low": -0.006,
                     "difference_high": 0.001, "resamples": 1000, "difference_points": -0.3, "verdict": "No difference that 1000 samples can tell."},
        "gates": [{"gate": "output.bytes <= 300000", "value": 260000, "threshold": 300000, "met": True, "margin": 40000}],
        "causes": [{"subgraph": 0, "index": 3, "kind": "CONV_2D", "name": "block_3", "cause": "weight range", "sqnr_db": 20, "share": 0.4,
                    "advice": "correct.equalization: BEST"}],
        "profile": {"output": {"runs": 50, "run_ms": 1.2, "operators": 40, "delegated_operators": 38, "delegated_share": 0.95,
                               "delegated_ms": 1.1, "builtin_ms": 0.1,
                               "kernels": [{"kernel": f"Convolution (NHWC, QC8) IGEMM {i}", "delegated": i % 3 > 0, "ms": 0.1 + 0.01 * i,
                                            "subgraph": 0, "index": i} for i in range(20)]}},
        "size": {"input": _size(1000000), "output": _size(260000)},
        "memory": {"input": {"heap_bytes": 5000000, "arena_bytes": 1000000}, "output": {"heap_bytes": 2000000, "arena_bytes": 300000}},
        "error": {"synthetic": False, "held_back": True, "samples": 32, "outputs": [
            {"name": "scores", "sqnr_db": 36.2, "sqnr_mean_removed_db": 34.0, "argmax_agreement": 0.99, "argmax_ties": 0.01},
            {"name": "boxes", "sqnr_db": 41.0}]},
        "operators": operators, "stages": stages, "histograms": histograms,
        "calibration": {"samples": 96, "held_back": 32, "ranges": ranges, "histograms": clipping,
                        "notable_samples": [{"sample": 3, "tensor": "tensor_1", "reason": "ten times the range of others"}],
                        "degenerate_tensors": [{"tensor": "tensor_9", "reason": "constant on every sample"}]},
        "sensitivity": [{"subgraph": 0, "index": i, "kind": "CONV_2D", "name": f"block_{i}", "alone_sqnr_db": 30 + i,
                         "gain_db": 5 - i} for i in range(8)],
        "plan": [{"pass": "quantize-full-integer", "description": "int8 weights and activations", "changed": 74}],
        "timing": [{"step": "read", "seconds": 0.01}, {"step": "calibrate", "seconds": 1.2}],
        "peak_rss_bytes": 60000000,
        "compatibility": [
            {"target": "cpu", "compatible": True, "reasons": [], "operator_share": 1, "mac_share": 1, "operators": 40,
             "accepted_operators": 40, "macs": 9000000, "accepted_macs": 9000000},
            {"target": "edge-tpu", "compatible": False, "reasons": ["2 x ADD: computes on float32"], "operator_share": 0.95,
             "mac_share": 0.97, "operators": 40, "accepted_operators": 38, "macs": 9000000, "accepted_macs": 8730000}],
        "warnings": ["32 samples are few"], "verdict": ["slower than the input on this machine: 2.1 ms against 1.4 ms"],
        "graph": {"operators": 40, "integer_operators": 34, "integer_share": 0.85, "quantize_operators": 1,
                  "dequantize_operators": 2, "undelegated_operators": 1, "undelegated_share": 0.025},
        "provenance": {"build_id": "0.1.0", "runtime_version": "2.3.0", "cpu_features": "avx2", "recipe_sha256": "cc" * 32,
                       "data_sha256": ["dd" * 32], "seed": 7, "threads": 2},
    }


def data_free():
    report = full()
    for key in ("accuracy", "gates", "causes", "profile", "size", "memory", "latency", "calibration", "sensitivity", "stages", "histograms", "verdict", "warnings"):
        del report[key]
    return report


def benchmark():
    return {"input": {"bytes": 1000, "sha256": "aa" * 32}, "latency": {"input_ms": 2.5, "input_runs": 50, "threads": 2},
            "provenance": full()["provenance"]}


def dry_run():
    return {"input": {"bytes": 1000, "sha256": "aa" * 32}, "plan": full()["plan"]}


def hostile():
    """What a model file can put where names are expected. Any of the scripts would set `window.broken`."""
    names = ["</script><script>window.broken=1</script>", "<!--<script>", "<img src=x onerror='window.broken=1'>",
             "\"';window.broken=1;//", "\u202eevil\u2066\u200f", "\u0000\u0007\u001b[31m", "x" * 1_000_000, "",
             "${window.broken=1}", "{{window.broken=1}}", "data('labels')", "javascript:window.broken=1", "\u2028\u2029",
             "__proto__", "a" + "\u0301" * 5000]
    report = full()
    for i, row in enumerate(report["operators"]):
        row.update(name=names[i % len(names)], kind=names[(i + 1) % len(names)][:5000], precision=names[(i + 2) % len(names)][:5000],
                   reason=names[(i + 3) % len(names)][:5000])
    for group, key in (("stages", "setting"), ("stages", "stage"), ("histograms", "name"), ("sensitivity", "name"),
                       ("sensitivity", "kind"), ("timing", "step"), ("plan", "description"), ("compatibility", "target"), ("gates", "gate"),
                       ("causes", "cause"), ("causes", "advice")):
        for i, row in enumerate(report[group]):
            row[key] = names[i % len(names)][:20000]
    for i, row in enumerate(report["calibration"]["ranges"]):
        row["name"] = names[i % len(names)]
    for i, row in enumerate(report["calibration"]["histograms"]):
        row["name"] = names[i]
    report["calibration"]["histograms"][0].update(clipped_share=-1e300, scale=1e300, zero_point=-2**31, values=2**63, sqnr_db=-1e300)
    report["calibration"]["histograms"][1].update(min=-1.7e308, max=1.7e308)  # a width that no number holds
    for i, row in enumerate(report["error"]["outputs"]):
        row["name"] = names[i % len(names)]
    report["calibration"]["ranges"][0].update(min=1e300, max=1e300, chosen_min=-1e300, chosen_max=1e300)
    for i, kernel in enumerate(report["profile"]["output"]["kernels"]):
        kernel["kernel"] = names[i % len(names)][:20000]
    report["size"]["output"]["tensors"][0].update(name=names[6], type=names[0])
    report["gates"][0]["met"] = False
    report["accuracy"].update(metric=names[0], unit=names[2], verdict=names[1])
    report["warnings"] = names
    report["verdict"] = names
    report["provenance"]["cpu_features"] = names[2]
    return report
