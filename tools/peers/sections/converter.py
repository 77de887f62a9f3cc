"""The TensorFlow converter 2.21 on the Keras models of the MobileNets (random weights, so error against float and no accuracy)."""
import numpy as np

import lathe
import quantizer
import seed_models
import tables
import workbench

SAMPLES, SEED = 64, 2


def _file(bench, who, architecture, scheme, path, samples, data):
    if who == "TensorFlow converter":
        return seed_models.path(architecture, scheme).read_bytes()
    if who == "litert-quantizer":
        return bench.peers.get(path.read_bytes(), quantizer.Settings(scheme), samples)
    arguments = ["--preset", scheme, *(["--calibration", str(data)] if scheme in ("int8", "int16x8") else [])]
    return bench.optimize(f"{architecture}.{scheme}", path, *arguments)[0]


def run(bench, only):
    noise = lathe.input_maker().noise
    shape = (1, 224, 224, 3)
    samples = noise(shape, seed_models.CALIBRATION_COUNT, seed_models.CALIBRATION_SEED, -1, 1)
    test = noise(shape, SAMPLES, SEED, -1, 1)
    data = workbench.OUT / "converter.npz"
    np.savez(data, x=samples)
    table = tables.Table(f"SQNR in dB to float and bytes, {SAMPLES} inputs of seed {SEED}, calibrated with {len(samples)} of seed "
                         f"{seed_models.CALIBRATION_SEED}", "model", "scheme", "file", "SQNR dB", "bytes", "")
    for architecture in seed_models.CONVERTED:
        path = seed_models.path(architecture)
        if only and path.stem not in only and architecture not in only:
            continue
        for scheme in seed_models.SCHEMES:
            found = {}
            for who in ("TensorFlow converter", "litert-quantizer", "ours"):
                try:
                    made = _file(bench, who, architecture, scheme, path, samples, data)
                except (lathe.LatheError, quantizer.PeerError) as error:
                    if who == "ours":
                        bench.checks.fail(f"{architecture} {scheme}: {error}")
                    table.row(architecture, scheme, who, "", "", str(error)[:80])
                    continue
                found[who] = bench.errors(made, path.read_bytes(), test)["sqnr_db"][0], len(made)
                good = True
                if who == "ours":
                    for peer, (_, its_bytes) in found.items():
                        if peer != "ours":
                            good &= bench.checks.at_most(f"{architecture} {scheme}, bytes beside {peer}'s", len(made), its_bytes, digits=0)
                table.row(architecture, scheme, f"**{who}**" if who == "ours" else who, tables.number(found[who][0]),
                          f"{len(made):,}", "" if who != "ours" else "ok" if good else "FAILED")
