"""Four well-known architectures with random weights: float files, and what the TensorFlow converter makes of the same Keras models.

Made once by tools/seed-models (TensorFlow in a virtual environment of its own, minutes) under build/seed-models. Called as a
program it is the part that runs there:

    seed_models.py SHARED_DIR OUT_DIR ARCHITECTURE...
"""
import importlib.util
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "seed-models"
FLOAT_NAMES = {
    "mobilenet_v1": "mobilenet_v1_1.0_224_random",
    "mobilenet_v2": "mobilenet_v2_1.0_224_random",
    "inception_v3": "inception_v3_299_random",
    "resnet_v2_101": "resnet_v2_101_224_random",
}
# What the converter quantizes: the small ones, of which all schemes can be measured in minutes.
CONVERTED = ("mobilenet_v1", "mobilenet_v2")
SCHEMES = ("float16", "dynamic-range", "int8", "int16x8")
CALIBRATION_COUNT, CALIBRATION_SEED = 20, 1


def path(architecture, scheme=None):
    """The float file, or the TensorFlow converter's file of `scheme`. Runs tools/seed-models where it is missing."""
    name = FLOAT_NAMES[architecture]
    found = OUT / (f"{name}.{scheme}.tflite" if scheme else f"{name}.tflite")
    if not found.exists():
        subprocess.run([ROOT / "tools/seed-models", architecture], check=True, stdout=sys.stderr)
    return found


def _load(name, file):
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _settings(tf, scheme, samples):
    """What the converter is told, as its guide says: https://ai.google.dev/edge/litert/models/post_training_quantization"""
    operators = tf.lite.OpsSet
    representative = lambda: ([sample[None]] for sample in samples)
    return {
        "float16": {"supported_types": [tf.float16]},
        "dynamic-range": {},
        "int8": {"supported_ops": [operators.TFLITE_BUILTINS_INT8], "representative_dataset": representative},
        "int16x8": {"supported_ops": [operators.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8],
                    "representative_dataset": representative},
    }[scheme]


def _convert(tf, keras_model, scheme, samples):
    converter = tf.lite.TFLiteConverter.from_keras_model(keras_model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    for key, value in _settings(tf, scheme, samples).items():
        setattr(converter if key == "representative_dataset" else converter.target_spec, key, value)
    return converter.convert()


def _make(shared, out, architecture):
    maker = _load("make_seed_models", shared / "tools/make_seed_models.py")
    tf = maker.tf
    kept = []  # the Keras model that the float file was converted from
    from_keras_model = tf.lite.TFLiteConverter.from_keras_model

    def keep(model):
        kept.append(model)
        return from_keras_model(model)

    tf.lite.TFLiteConverter.from_keras_model = keep
    maker.make(architecture, out)
    tf.lite.TFLiteConverter.from_keras_model = from_keras_model
    if architecture not in CONVERTED:
        return
    noise = _load("inputs", shared / "tools/inputs.py").noise
    samples = noise((1, 224, 224, 3), CALIBRATION_COUNT, CALIBRATION_SEED, -1, 1)
    for scheme in SCHEMES:
        file = out / f"{FLOAT_NAMES[architecture]}.{scheme}.tflite"
        file.write_bytes(_convert(tf, kept[0], scheme, samples))
        print(file, file.stat().st_size, flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    for each in sys.argv[3:]:
        _make(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), each)
