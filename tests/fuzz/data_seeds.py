"""Writes small data files and images of every kind that Lathe reads into a folder: what tools/fuzz damages."""
import io
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.feather
import pyarrow.parquet
from PIL import Image


def main():
    folder = pathlib.Path(sys.argv[1])
    random = numpy.random.default_rng(1)
    pixels = random.integers(0, 256, (17, 23, 3), dtype=numpy.uint8)
    images = []
    for kind, options in [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {"optimize": True})]:
        for mode in ("RGB", "L"):
            encoded = io.BytesIO()
            Image.fromarray(pixels).convert(mode).save(encoded, kind, **options)
            images.append(encoded.getvalue())
            (folder / f"image{len(images)}.{kind.lower()}").write_bytes(images[-1])
    floats = random.standard_normal((8, 6)).astype(numpy.float32)
    numpy.savez(folder / "stored.npz", x=floats, label=numpy.arange(8))
    numpy.savez_compressed(folder / "deflated.npz", x=floats, label=numpy.arange(8))
    numpy.save(folder / "array.npy", floats)
    table = pyarrow.table({
        "fixed": pyarrow.FixedSizeListArray.from_arrays(floats.ravel(), 6),
        "list": pyarrow.array([[[1, 2], [3, 4]]] * 8),
        "image": pyarrow.array(images, pyarrow.binary()),
        "struct": pyarrow.array([{"bytes": image, "path": "x"} for image in images]),
        "text": pyarrow.array(["a"] * 8).dictionary_encode(),
        "label": pyarrow.array(range(8)),
    })
    for compression in ("none", "zstd", "snappy"):
        pyarrow.parquet.write_table(table, folder / f"{compression}.parquet", compression=compression)
    pyarrow.parquet.write_table(table, folder / "pages.parquet", data_page_size=64, data_page_version="2.0",
                                use_dictionary=False, write_page_checksum=True)
    for compression in ("uncompressed", "lz4", "zstd"):
        pyarrow.feather.write_feather(table, folder / f"{compression}.arrow", compression=compression)
    with pyarrow.ipc.new_stream(folder / "stream.arrows", table.schema) as stream:
        stream.write_table(table, max_chunksize=3)


if __name__ == "__main__":
    main()
