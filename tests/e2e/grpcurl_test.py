"""The walk-through of the README: upload, submit, watch and download with grpcurl and reflection alone."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from tests.support import programs
from tests.support.programs import MODEL

GRPCURL = shutil.which("grpcurl") or shutil.which("grpcurl", path=os.path.expanduser("~/go/bin"))
FRAME_BYTES = 256 * 1024


def b64(content):
    return base64.b64encode(content).decode()


def objects(text):
    """The JSON objects that grpcurl prints one after another."""
    decoder, position, found = json.JSONDecoder(), 0, []
    while text[position:].strip():
        position += len(text[position:]) - len(text[position:].lstrip())
        value, position = decoder.raw_decode(text, position)
        found.append(value)
    return found


class GrpcurlTest(unittest.TestCase):
    def setUp(self):
        folder = programs.scratch()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, server, method, *messages):
        """The answers of one method, as a list; AssertionError when it fails."""
        done = self.try_call(server, method, *messages)
        self.assertEqual(done.returncode, 0, f"{method}: {done.stderr}")
        return objects(done.stdout)

    def try_call(self, server, method, *messages):
        return subprocess.run([GRPCURL, "-plaintext", "-d", "@", server.address, f"lathe.v1.{method}"],
                              input="\n".join(map(json.dumps, messages)), capture_output=True, text=True, timeout=60, check=False)

    def upload(self, server, content):
        begin = {"sha256": b64(hashlib.sha256(content).digest()), "size_bytes": len(content), "kind": "MODEL"}
        [upload] = self.call(server, "ArtifactService/CreateUpload", begin)
        frames = [{"data": b64(content[at:at + FRAME_BYTES])} for at in range(0, len(content), FRAME_BYTES)]
        [artifact] = self.call(server, "ArtifactService/UploadArtifact", {"header": {"upload": upload["name"], "offset": 0}}, *frames)
        return artifact["name"]

    def test_walk_through(self):
        with programs.Server(self.folder / "data") as server:
            listed = subprocess.run([GRPCURL, "-plaintext", server.address, "list"], capture_output=True, text=True, check=True).stdout
            for service in ("JobService", "ArtifactService", "ModelService", "CatalogService"):
                self.assertIn(f"lathe.v1.{service}", listed)
            self.assertIn("grpc.health.v1.Health", listed)

            model = self.upload(server, MODEL.read_bytes())
            spec = {"optimize": {"model": model, "recipe": {"preset": "dynamic-range"}, "skip_benchmark": True}}
            [job] = self.call(server, "JobService/SubmitJob", {"spec": spec, "request_id": "walk-through"})
            [again] = self.call(server, "JobService/SubmitJob", {"spec": spec, "request_id": "walk-through"})
            self.assertEqual(job["name"], again["name"], "a request id submits once")

            events = self.call(server, "JobService/WatchJob", {"name": job["name"]})
            self.assertIn("snapshot", events[0])
            [finished] = self.call(server, "JobService/GetJob", {"name": job["name"]})
            self.assertEqual(finished["state"], "SUCCEEDED", finished)
            [output] = [o for o in finished["result"]["outputs"] if o["role"] == "MODEL"]

            frames = self.call(server, "ArtifactService/DownloadArtifact", {"name": output["artifact"]})
            content = b"".join(base64.b64decode(frame["data"]) for frame in frames if "data" in frame)
            self.assertEqual(hashlib.sha256(content).hexdigest(), output["artifact"].rsplit("/", 1)[1])
            self.assertLess(len(content), MODEL.stat().st_size / 2)

    def test_wrong_digest(self):
        content = MODEL.read_bytes()
        with programs.Server(self.folder / "data") as server:
            begin = {"sha256": b64(bytes(32)), "size_bytes": len(content), "kind": "MODEL"}
            [upload] = self.call(server, "ArtifactService/CreateUpload", begin)
            done = self.try_call(server, "ArtifactService/UploadArtifact", {"header": {"upload": upload["name"]}}, {"data": b64(content)})
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("DIGEST_MISMATCH", done.stderr)
            self.assertIn(hashlib.sha256(content).hexdigest(), done.stderr, "the message says what was found")


if __name__ == "__main__":
    if GRPCURL is None:
        print("grpcurl_test: skipped, grpcurl is not installed")
        sys.exit(programs.SKIPPED)
    unittest.main(verbosity=2)
