#!/usr/bin/env python3
"""How encoded images become a model's input, through `lathe evaluate`, against Pillow and the runtime's own RESIZE_BILINEAR,
which computes what tf.image.resize does. Run by tools/python.

A model that answers its input is evaluated by `rmse` with the peer's pixels as labels. No difference is larger than
rmse * sqrt(number of values), so the bound on rmse bounds every pixel.
"""
import io
import json
import math
import pathlib
import sys
import tempfile
import unittest

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import skimage.data
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools/evidence")]
import one_operator  # noqa: E402
from tests.support.programs import lathe  # noqa: E402

# Of 255 levels. Both sides compute in float32 without rounding to levels; what is left is the order of the sums. Measured:
# at most 9e-5 against Pillow, 1e-4 against the runtime; another filter is 2 and more.
RMSE_MAX = 2e-4
# Pillow rounds images of 8 bits to levels after each of two directions, Lathe never: a level at most. Measured: 0.43.
ROUNDED_RMSE_MAX = 0.5
PHOTOGRAPH = skimage.data.chelsea()  # 300 x 451 RGB
# Up, down, one of each, whole and odd factors. (height, width)
SIZES = [(224, 224), (150, 41), (37, 451), (600, 902), (640, 480), (300, 451), (1, 1)]


def encoded(pixels, kind, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def in_planes(pixels, change):
    """`change` of each channel as a Pillow image of floats."""
    planes = [np.asarray(change(Image.fromarray(pixels[..., c].astype(np.float32)))) for c in range(pixels.shape[2])]
    return np.stack(planes, axis=-1)


def pillow_antialias(pixels, height, width):
    """Image.resize with BILINEAR: a triangle as wide as the step."""
    return in_planes(pixels, lambda plane: plane.resize((width, height), Image.Resampling.BILINEAR))


def pillow_bilinear(pixels, height, width):
    """Image.transform with BILINEAR: four pixels around each point, however far apart the points are."""
    step = (pixels.shape[1] / width, 0, 0, 0, pixels.shape[0] / height, 0)
    return in_planes(pixels, lambda plane: plane.transform((width, height), Image.Transform.AFFINE, step, Image.Resampling.BILINEAR))


def pillow_area(pixels, height, width):
    """The mean of the covered pixels: Image.reduce by a whole factor, of pixels repeated until the factor is whole."""
    def change(plane):
        for axis, size in ((0, width), (1, height)):
            whole = math.lcm(plane.size[axis], size)
            larger = (whole, plane.size[1]) if axis == 0 else (plane.size[0], whole)
            factor = (whole // size, 1) if axis == 0 else (1, whole // size)
            plane = plane.resize(larger, Image.Resampling.NEAREST).reduce(factor)
        return plane
    return in_planes(pixels, change)


def runtime_bilinear(pixels, height, width):
    """RESIZE_BILINEAR with half-pixel centres: tf.image.resize(method="bilinear", antialias=False)."""
    shape = (1, *pixels.shape)
    model = one_operator.make("RESIZE_BILINEAR", [(shape, one_operator.FLOAT32), ((2,), one_operator.INT32, (height, width))],
                              [((1, height, width, pixels.shape[2]), one_operator.FLOAT32)], "ResizeBilinearOptions", 3, halfPixelCenters=True)
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None].astype(np.float32))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


class ImagePreprocessing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def rmse(self, image, expected, preprocessing):
        """Of Lathe's pixels against `expected`, which has the shape of the input."""
        shape = (1, *expected.shape)
        model = self.folder / "same.tflite"
        model.write_bytes(one_operator.make("ADD", [(shape, one_operator.FLOAT32), ((1,), one_operator.FLOAT32, (0,))],
                                            [(shape, one_operator.FLOAT32)], "AddOptions"))
        data, settings = self.folder / "data.parquet", self.folder / "preprocessing.json"
        label = pa.array([expected.astype(np.float32).ravel()], pa.list_(pa.float32()))
        pq.write_table(pa.table({"image": pa.array([image], pa.binary()), "label": label}), data)
        settings.write_text(json.dumps(preprocessing))
        answer = lathe("evaluate", str(model), "--data", str(data), "--metric", "rmse", "--preprocessing", str(settings)).ok()
        return answer["accuracy"]["input"]

    def compare(self, peer, method, bound=RMSE_MAX):
        image = encoded(PHOTOGRAPH, "PNG")
        for height, width in SIZES:
            with self.subTest(height=height, width=width):
                found = self.rmse(image, peer(PHOTOGRAPH, height, width),
                                  {"resize": {"height": height, "width": width, "method": method}, "scale": 1})
                self.assertLess(found, bound)

    def test_antialias_is_pillows_resize(self):
        self.compare(pillow_antialias, "antialias")

    def test_bilinear_is_pillows_transform(self):
        self.compare(pillow_bilinear, "bilinear")

    def test_bilinear_is_the_runtimes_resize(self):
        self.compare(runtime_bilinear, "bilinear")

    def test_area_is_pillows_reduce(self):
        self.compare(pillow_area, "area")

    def test_antialias_is_within_a_level_of_pillow_in_8_bits(self):
        def rounded(pixels, height, width):
            return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
        self.compare(rounded, "antialias", ROUNDED_RMSE_MAX)

    def test_jpeg_is_decoded_as_pillow_does(self):
        for options in ({"quality": 90}, {"quality": 40, "subsampling": "4:2:0"}, {"quality": 75, "progressive": True}):
            with self.subTest(**options):
                image = encoded(PHOTOGRAPH, "JPEG", **options)
                pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
                expected = pillow_antialias(pixels, 224, 224)
                self.assertLess(self.rmse(image, expected, {"resize": {"height": 224, "width": 224, "method": "antialias"}, "scale": 1}), RMSE_MAX)

    def test_shorter_side_crop_and_normalisation(self):
        """The chain of ImageNet models; the crop leaves an odd rest (384 - 223), and its pixel more is at the right."""
        mean, scale = [123.675, 116.28, 103.53], [0.01712475, 0.017507, 0.01742919]
        resized = pillow_antialias(PHOTOGRAPH, 256, 256 * 451 // 300)
        crop = (223, 224)
        top, left = (resized.shape[0] - crop[0]) // 2, (resized.shape[1] - crop[1]) // 2
        self.assertEqual((resized.shape[0] - crop[0]) % 2, 1)
        planes = in_planes(resized, lambda plane: plane.crop((left, top, left + crop[1], top + crop[0])))
        for channels in ("rgb", "bgr"):
            with self.subTest(channels=channels):
                ordered = planes if channels == "rgb" else planes[..., ::-1]
                found = self.rmse(encoded(PHOTOGRAPH, "PNG"), (ordered.astype(np.float64) - mean) * scale,
                                  {"resize": {"shorter_side": 256, "method": "antialias"}, "crop": {"height": crop[0], "width": crop[1]},
                                   "channels": channels, "channel_mean": mean, "channel_scale": scale})
                self.assertLess(found, RMSE_MAX * max(scale))

    def test_gray_is_pillows(self):
        gray = np.asarray(Image.fromarray(PHOTOGRAPH).convert("L"))[..., None]
        expected = pillow_bilinear(gray, 96, 96) / 255
        found = self.rmse(encoded(PHOTOGRAPH, "PNG"), expected, {"resize": {"height": 96, "width": 96}, "scale": 1 / 255})
        self.assertLess(found, RMSE_MAX / 255)


if __name__ == "__main__":
    unittest.main(verbosity=2)
