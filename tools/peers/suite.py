"""The models, inputs and floors that tools/check-presets holds Lathe to.

Inputs without a data set are numpy `default_rng(seed).uniform(low, high)` in float32: seed 1 calibrates, seed 2 measures, never
the other way round.
"""
import dataclasses
import pathlib

import numpy as np

PRESETS = ("float16", "weight-only-int8", "dynamic-range", "int8")
# The presets that litert-quantizer has an equal of.
PEER_PRESETS = ("weight-only-int8", "dynamic-range", "int8")


@dataclasses.dataclass(frozen=True)
class Case:
    """One model of the table. Floors are decibels, in the order of PRESETS; None is printed but not gated."""
    name: str
    path: str  # below the folder that LATHE_SHARED_DIR names
    floors: tuple
    low: float = 0.0
    high: float = 1.0
    calibration_count: int = 64
    test_count: int = 32
    data: str = ""  # folder with calib.npz and test.npz; "" for uniform noise

    @property
    def labelled(self):
        return bool(self.data)


def _model(name, floors, low, high, **kwargs):
    return Case(name, f"models/{name}.tflite", floors, low, high, **kwargs)


CASES = (
    _model("mlperf_tiny_resnet8_cifar10", (45, 26, 24, 16.5), 0, 255),
    _model("mlperf_tiny_vww", (50, 60, 60, 45), 0, 1),
    _model("mlperf_tiny_ad", (50, 35, 34.5, 27.5), -40, 10),
    _model("edsr_f32b5_fp32", (50, 38, 33.5, 31), 0, 255, calibration_count=4, test_count=2),
    _model("face_landmark", (50, 42, 38, 32), 0, 1),
    Case("fm_mnv1relu", "data/fashion/fm_mnv1relu.tflite", (50, 38.5, 37, 28.5), data="data/fashion"),
    Case("fm_mnv2", "data/fashion/fm_mnv2.tflite", (50, 42, 38, 29), data="data/fashion"),
    # Random weights: how much 8 bits keep of them says nothing about a trained model, so int8 is printed only.
    _model("mobilenet_v2_1.0_224_random", (45, 21, 18.5, None), -1, 1),
)

# Int8 may cost at most this many points of top-1 on the labelled models.
TOP1_LOSS_MAX = 0.5


def uniform_samples(shape, count, seed, low, high):
    """[count, *shape[1:]] float32."""
    return np.random.default_rng(seed).uniform(low, high, (count,) + tuple(shape[1:])).astype(np.float32)


def load_images(path):
    """(float32 samples in 0..1, labels) of an npz with uint8 `image` and `label`."""
    with np.load(path) as arrays:
        return arrays["image"].astype(np.float32) / np.float32(255), arrays["label"]


def samples_for(case, shape, shared_dir):
    """(calibration, test, labels): two float32 arrays whose first axis is the sample; labels of test, or None.

    `shape` is that of the model's only input. Labelled cases measure the error on all of test.npz.
    """
    if case.labelled:
        folder = pathlib.Path(shared_dir) / case.data
        calibration, _ = load_images(folder / "calib.npz")
        test, labels = load_images(folder / "test.npz")
        reshape = lambda images: images.reshape((len(images),) + tuple(shape[1:]))
        return reshape(calibration), reshape(test), labels
    calibration = uniform_samples(shape, case.calibration_count, 1, case.low, case.high)
    test = uniform_samples(shape, case.test_count, 2, case.low, case.high)
    return calibration, test, None
