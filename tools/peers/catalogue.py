"""Every float model of the shared folder with what calibrates it: labelled data, or inputs of tools/inputs.py with seed 1.

Without edsr, of which a run takes seconds: the section `error` has its int8 file.
"""
import dataclasses
import pathlib

import numpy as np

import labelled
import lathe
import workbench

CALIBRATION_SEED = 1
# Reasons by which `lathe optimize` says that a model would gain nothing: as good as a file, if the peer finds nothing either.
REFUSALS = ("NOTHING_TO_DO", "LARGER_THAN_INPUT")


@dataclasses.dataclass(frozen=True)
class Entry:
    name: str
    path: pathlib.Path
    calibration: object  # () -> samples
    lathe_arguments: object  # () -> what names them to `lathe optimize`


# Name, shape and range of the inputs of models/, and how many calibrate.
_UNLABELLED = (
    ("mlperf_tiny_resnet8_cifar10", (1, 32, 32, 3), 0, 255, 64),
    ("mlperf_tiny_vww", (1, 96, 96, 3), 0, 1, 64),
    ("mlperf_tiny_ad", (1, 640), 0, 1, 64),
    ("mlperf_tiny_kws", (1, 49, 10, 1), 0, 1, 64),
    ("mnist_lstm", (1, 28, 28), 0, 1, 64),
    ("transformer_feed_forward", (1, 64, 128), 0, 1, 64),
    ("face_landmark", (1, 192, 192, 3), 0, 1, 64),
    ("face_detection_back", (1, 256, 256, 3), -1, 1, 16),
    ("face_detection_full_range", (1, 192, 192, 3), -1, 1, 16),
    ("face_detection_full_range_sparse", (1, 192, 192, 3), -1, 1, 16),
    ("mobilenet_v2_1.0_224_random", (1, 224, 224, 3), -1, 1, 16),
)


def _unlabelled(name, shape, low, high, count):
    samples = lambda: lathe.input_maker().noise(shape, count, CALIBRATION_SEED, low, high)

    def arguments():
        path = workbench.OUT / f"{name}.npz"
        if not path.exists():
            np.savez(path, x=samples())
        return ["--calibration", str(path)]

    return Entry(name, lathe.shared_dir() / f"models/{name}.tflite", samples, arguments)


def entries(only=None):
    found = [Entry(model.name, model.path(), model.task.calibration, model.task.lathe_arguments) for model in labelled.MODELS]
    found += [_unlabelled(*row) for row in _UNLABELLED]
    return [entry for entry in found if not only or entry.name in only]
