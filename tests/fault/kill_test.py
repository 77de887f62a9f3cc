"""A hundred jobs, a server killed with -9 in the middle, a restart: every job ends once, with the artifact it names."""
import collections
import concurrent.futures
import contextlib
import pathlib
import sqlite3
import unittest

from tests.support import programs
from tests.support.programs import MODEL, TERMINAL, lathe

JOBS = 100
SUCCEEDED = 4  # JobState in storage/job_store.h; what is above has ended, too
PRESETS = ("float16", "dynamic-range", "weight-only-int8", "int8")
# Killed when this many have ended: some are done, some run, most wait.
DONE_BEFORE_KILL = 10


def submit(server, number):
    # The seed makes each job different work with a report of its own.
    return lathe("jobs", "submit", str(MODEL), "--preset", PRESETS[number % len(PRESETS)], "--seed", str(number), server=server).ok()["name"]


def list_jobs(server):
    answer = lathe("jobs", "list", "--limit", "1000", server=server).ok()
    return {job["name"]: job for job in answer["jobs"]}


def ended(jobs):
    return [name for name, job in jobs.items() if job["state"] in TERMINAL]


class KillTest(unittest.TestCase):
    def setUp(self):
        folder = programs.scratch()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data_dir = self.folder / "data"
        self.checked = set()  # digests

    def test_every_job_ends_exactly_once(self):
        with programs.Server(self.data_dir, "--slots", "2") as server:
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                names = list(pool.map(lambda number: submit(server.address, number), range(JOBS)))
            self.assertEqual(len(set(names)), JOBS)
            programs.wait_until(lambda: len(ended(list_jobs(server.address))) >= DONE_BEFORE_KILL, "some jobs have ended")
            before = list_jobs(server.address)
            server.kill()
        print("killed at", dict(collections.Counter(job["state"] for job in before.values())))
        self.assertLess(len(ended(before)), JOBS, "the server was killed too late to prove anything; raise JOBS")
        programs.wait_until(lambda: not programs.executors_below(self.data_dir), "executors die with their server", 10)

        with programs.Server(self.data_dir, "--slots", "2") as server:
            jobs = programs.wait_until(lambda: self.all_ended(server.address), "all jobs have ended")
            self.assertEqual(set(jobs), set(names), "no job is lost, none appears")
            for name in ended(before):
                self.assertEqual(jobs[name]["state"], before[name]["state"], f"{name} had ended before the kill")
            self.assertEqual({job["state"] for job in jobs.values()}, {"SUCCEEDED"})
            for name in names:
                self.check_artifacts(server.address, lathe("jobs", "get", name, server=server.address).ok())
            self.assertEqual(programs.executors_below(self.data_dir), [])
            self.assertEqual(server.stop(), 0)
        self.check_nothing_left()

    def all_ended(self, address):
        jobs = list_jobs(address)
        return jobs if len(ended(jobs)) == JOBS else None

    def check_artifacts(self, address, job):
        """Every output is there and has the digest that its name says."""
        outputs = job["result"]["outputs"]
        self.assertTrue(outputs, job["name"])
        for output in outputs:
            digest = output["artifact"].rsplit("/", 1)[1]
            stored = self.folder / "artifact"
            if digest not in self.checked:
                lathe("artifacts", "get", output["artifact"], "-o", str(stored), server=address).ok()
                self.assertEqual(programs.sha256_of(stored), digest)
                self.checked.add(digest)

    def check_nothing_left(self):
        """No job directories, no half-done files; in the history of each job one last state, at the end, and sequences without gaps."""
        folder = self.data_dir / "jobs"
        self.assertEqual([path.name for path in folder.iterdir()] if folder.exists() else [], [])
        self.assertEqual([path.name for path in (self.data_dir / "uploads").iterdir()], [])
        stored = {path.name for path in (self.data_dir / "cas").rglob("*") if path.is_file()}
        with contextlib.closing(sqlite3.connect(self.data_dir / "lathe.db")) as database:
            recorded = {digest for (digest,) in database.execute("SELECT sha256 FROM artifact")}
        self.assertEqual(stored, recorded, "bytes without a row, or a row without bytes")
        histories = collections.defaultdict(list)
        with contextlib.closing(sqlite3.connect(self.data_dir / "lathe.db")) as database:
            for job, sequence, state in database.execute("SELECT job, sequence, state FROM job_event ORDER BY job, sequence"):
                histories[job].append((sequence, state))
        self.assertEqual(len(histories), JOBS)
        for job, events in histories.items():
            self.assertEqual([sequence for sequence, _ in events], list(range(1, len(events) + 1)), f"job {job}")
            self.assertEqual([state >= SUCCEEDED for _, state in events].count(True), 1, f"job {job}: {events}")
            self.assertGreaterEqual(events[-1][1], SUCCEEDED, f"job {job}: {events}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
