"""The corridor of a request through the programs: submit, watch, cancel, download, metrics, drain."""
import pathlib
import subprocess
import unittest
import urllib.request

from tests.support import programs
from tests.support.programs import EXAMPLE, MODEL, PIXELS, TERMINAL, lathe

INT8 = ("--preset", "int8", "--calibration", str(EXAMPLE / "calib.npz"), *PIXELS, "--no-benchmark")


class ServiceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._folder = programs.scratch()
        cls.folder = pathlib.Path(cls._folder.name)
        cls.server = programs.Server(cls.folder / "data")

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls._folder.cleanup()
        assert code == 0, f"the server drained with exit code {code}"

    def call(self, *arguments):
        return lathe(*arguments, server=self.server.address)

    def test_server_and_local_give_the_same_bytes(self):
        outputs = [self.folder / "local.tflite", self.folder / "remote.tflite"]
        reports = [lathe("optimize", str(MODEL), "-o", str(outputs[0]), *INT8).ok(),
                   self.call("optimize", str(MODEL), "-o", str(outputs[1]), *INT8).ok()]
        self.assertEqual(outputs[0].read_bytes(), outputs[1].read_bytes())
        for report, output in zip(reports, outputs):
            self.assertEqual(report["output"]["sha256"], programs.sha256_of(output))
            self.assertEqual(report["output"]["bytes"], output.stat().st_size)
            self.assertLess(report["output"]["bytes"], report["input"]["bytes"] / 2)
            self.assertFalse(report["error"]["synthetic"])

    def test_rules_travel_to_the_server(self):
        recipe = self.folder / "mixed.yaml"
        recipe.write_text("preset: int8\nmin_sqnr_db: 1\nrules: [{selector: {kinds: [CONV_2D]}, quantize: {activations: {bits: 16}}}]\n")
        data = ("--recipe", str(recipe), "--sensitivity", *INT8[2:])
        outputs = [self.folder / "mixed-local.tflite", self.folder / "mixed-remote.tflite"]
        local = lathe("optimize", str(MODEL), "-o", str(outputs[0]), *data).ok()
        remote = self.call("optimize", str(MODEL), "-o", str(outputs[1]), *data).ok()
        self.assertEqual(outputs[0].read_bytes(), outputs[1].read_bytes())
        self.assertTrue(local["rule_matches"])
        for group in ("rule_matches", "sensitivity", "calibration"):
            self.assertEqual(local[group], remote[group])

    def test_server_and_local_find_the_same_causes(self):
        made = self.folder / "compared.tflite"
        lathe("optimize", str(MODEL), "-o", str(made), *INT8).ok()
        question = ("compare", str(MODEL), str(made), "--data", str(EXAMPLE / "calib.npz"), *PIXELS, "--samples", "4")
        local, remote = lathe(*question).ok(), self.call(*question).ok()
        self.assertEqual(local, remote)
        self.assertEqual(local["samples"], 4)
        self.assertFalse(local["synthetic"])
        self.assertTrue(local["ranking"])

    def test_job_by_hand(self):
        job = self.call("jobs", "submit", str(MODEL), "--preset", "float16", "--no-benchmark").ok()
        self.call("jobs", "wait", job["name"]).ok()
        done = self.call("jobs", "get", job["name"]).ok()
        self.assertEqual(done["state"], "SUCCEEDED")
        self.assertIn(job["name"], [j["name"] for j in self.call("jobs", "list").ok()["jobs"]])
        [model] = [o["artifact"] for o in done["result"]["outputs"] if o["role"] == "MODEL"]
        stored = self.folder / "float16.tflite"
        self.call("artifacts", "get", model, "-o", str(stored)).ok()
        self.assertEqual(programs.sha256_of(stored), model.rsplit("/", 1)[1])
        self.call("jobs", "delete", job["name"]).ok()
        self.assertEqual(self.call("jobs", "get", job["name"]).error["reason"], "JOB_NOT_FOUND")

    def test_cancel_ends_in_a_last_state(self):
        job = self.call("jobs", "submit", str(MODEL), *INT8).ok()
        self.call("jobs", "cancel", job["name"]).ok()
        ended = programs.wait_until(lambda: self.ended(job["name"]), "a cancelled job ends")
        self.assertIn(ended["state"], {"CANCELLED", "SUCCEEDED"}, "it may have been quicker than the cancel")

    def ended(self, name):
        job = self.call("jobs", "get", name).ok()
        return job if job["state"] in TERMINAL else None

    def test_metrics(self):
        self.call("jobs", "list").ok()
        with urllib.request.urlopen(f"http://{self.server.metrics}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        for name in ("lathe_rpc_requests_total", "lathe_queue_depth", "lathe_jobs_running", "lathe_build_info"):
            self.assertIn(name, text)

    def test_second_server_on_the_data_directory_is_refused(self):
        command = [programs.BIN / "lathe-server", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir", self.server.data_dir]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, str(self.server.data_dir))

    def test_bind_to_the_world_without_tls_is_refused(self):
        command = [programs.BIN / "lathe-server", "--listen", "0.0.0.0:0", "--data-dir", self.folder / "other"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "0.0.0.0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
