"""Bad input ends in a clear error: what is wrong, where, and what to do; the same locally and through a server."""
import pathlib
import struct
import unittest

from tests.support import programs
from tests.support.programs import MODEL, PIXELS, lathe

IMAGES = 20
PIXEL_COUNT = 28 * 28


def floats(value, count):
    return struct.pack("<f", value) * count


class BadInput(unittest.TestCase):
    """`server` None: local."""
    server = None

    @classmethod
    def setUpClass(cls):
        cls._folder = programs.scratch()
        cls.folder = pathlib.Path(cls._folder.name)

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def data(self, name, **arrays):
        path = self.folder / name
        programs.write_npz(path, **arrays)
        return path

    def refused(self, code, reason, says, model=MODEL, *arguments):
        """Optimizes and expects the exit code, one of the reasons, and every text of `says` in the message."""
        output = self.folder / "out.tflite"
        arguments = arguments or ("--preset", "int8")
        answer = lathe("optimize", str(model), "-o", str(output), "--no-benchmark", *arguments, server=self.server)
        self.assertEqual(answer.code, code, answer.text)
        self.assertEqual(set(answer.json), {"error"}, answer.text)
        self.assertIn(answer.error["reason"], reason.split("|"), answer.text)
        for text in says:
            self.assertRegex(answer.error["message"], f"(?i){text}", answer.text)
        self.assertFalse(output.exists(), "a refused job leaves no file")

    def test_png_as_model(self):
        png = self.file("picture.tflite", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 16)
        self.refused(1, "MODEL_CORRUPT", ["PNG|not a LiteRT|not a .tflite", "tflite"], png)

    def test_truncated_model(self):
        half = self.file("half.tflite", MODEL.read_bytes()[: MODEL.stat().st_size // 2])
        self.refused(1, "MODEL_CORRUPT", ["offset|byte|truncated|cut short|beyond|table|end"], half)

    def test_tensor_of_2_to_the_60_bytes(self):
        # The input's shape, [1, 28, 28, 1] behind its length, becomes 2^58 floats.
        shape = struct.pack("<5i", 4, 1, 28, 28, 1)
        content = MODEL.read_bytes()
        self.assertIn(shape, content)
        giant = self.file("giant.tflite", content.replace(shape, struct.pack("<5i", 4, 1 << 20, 1 << 20, 1 << 18, 1)))
        self.refused(1, "MODEL_CORRUPT|MODEL_UNSUPPORTED|MEMORY_BUDGET", ["tensor"], giant)

    def test_wrong_column(self):
        path = self.data("columns.npz", first=("<f4", (IMAGES, 28, 28), floats(0.5, IMAGES * PIXEL_COUNT)),
                         second=("<f4", (IMAGES, 28, 28), floats(0.5, IMAGES * PIXEL_COUNT)))
        self.refused(1, "DATA_INVALID", ["first", "second", "image"], MODEL, "--preset", "int8", "--calibration", str(path))

    def test_wrong_shape(self):
        path = self.data("shape.npz", image=("<f4", (IMAGES, 27, 28), floats(0.5, IMAGES * 27 * 28)))
        self.refused(1, "DATA_INVALID", ["image", "784", "756"], MODEL, "--preset", "int8", "--calibration", str(path))

    def test_integer_data_without_scale(self):
        path = self.data("integers.npz", image=("|u1", (IMAGES, 28, 28), bytes(IMAGES * PIXEL_COUNT)))
        self.refused(1, "DATA_NEEDS_SCALE|DATA_INVALID", ["image", "--scale", "--mean"], MODEL, "--preset", "int8", "--calibration", str(path))

    def test_nan_data(self):
        content = floats(0.5, PIXEL_COUNT * 3) + floats(float("nan"), PIXEL_COUNT) + floats(0.5, PIXEL_COUNT * (IMAGES - 4))
        path = self.data("nan.npz", image=("<f4", (IMAGES, 28, 28), content))
        self.refused(1, "DATA_INVALID", ["image", "nan"], MODEL, "--preset", "int8", "--calibration", str(path))

    def test_unknown_preset(self):
        self.refused(2, "BAD_REQUEST|RECIPE_INVALID|USAGE", ["int9", "float16", "dynamic-range", "weight-only-int8", "int8"], MODEL, "--preset", "int9")

    def test_already_quantized_model(self):
        quantized = self.folder / "quantized.tflite"
        lathe("optimize", str(MODEL), "-o", str(quantized), "--preset", "int8", "--no-benchmark", "--calibration",
              str(programs.EXAMPLE / "calib.npz"), *PIXELS).ok()
        self.refused(1, "NOTHING_TO_DO", ["already|quantized"], quantized)

    def test_missing_file(self):
        self.refused(1, "NOT_FOUND|FILE_NOT_FOUND|MODEL_NOT_FOUND", ["nowhere.tflite"], self.folder / "nowhere.tflite")


class BadInputThroughServer(BadInput):
    """The same answers from a server: its jobs fail in the executor, with the executor's words."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._server = programs.Server(cls.folder / "data")
        cls.server = cls._server.address

    @classmethod
    def tearDownClass(cls):
        code = cls._server.stop()
        super().tearDownClass()
        assert code == 0, f"the server ended with {code}"


class BadUse(unittest.TestCase):
    def test_server_that_is_not_there(self):
        # Port 1 needs privileges to bind: nobody listens.
        answer = lathe("jobs", "list", server="127.0.0.1:1")
        self.assertEqual(answer.code, 3, answer.text)
        self.assertRegex(answer.error["message"], "127.0.0.1:1", answer.text)

    def test_unknown_flag(self):
        answer = lathe("optimize", str(MODEL), "-o", "out.tflite", "--preset", "int8", "--frobnicate")
        self.assertEqual(answer.code, 2, answer.text)
        self.assertRegex(answer.error["message"], "frobnicate", answer.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
