"""The audit over real processes of a Dask cluster: the same bits as threads, a killed worker included."""

import json
import os
import signal
import warnings

import pyarrow.parquet as pq
import pytest

from margin import InputError, Market
from margin.audit.cluster import audit_on_cluster
from margin.audit.make import write
from margin.audit.parts import open_source
from margin.audit.plan import make_plan
from margin.audit.scan import audit_source
from margin.cli.main import main
from margin.sample.load import load_sample

distributed = pytest.importorskip("distributed", reason="needs dask.distributed, which is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def plan():
    return make_plan(Market(load_sample().closes))


@pytest.fixture(scope="module")
def book(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("venue")
    write(plan, 240_000, folder, seed=5, per_file=30_000)
    return folder


@pytest.fixture
def cluster(tmp_path):
    """Two worker processes of one thread each, and their scheduler."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50,
            local_directory=str(tmp_path / "dask"),
        )  # fmt: skip
        yield started
        started.close()


def pids(cluster):
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        return set(client.run(os.getpid).values())


def test_a_cluster_is_threads_bit_for_bit_even_when_a_worker_is_killed(plan, book, cluster, tmp_path):
    threads = audit_source(plan, open_source(str(book)), 2, tmp_path / "threads.parquet")
    before = pids(cluster)
    assert len(before) == 2
    killed = []

    def kill_one(now):
        if not killed:  # after the first part: the other worker is in the middle of its own
            killed.append(sorted(before)[0])
            os.kill(killed[0], signal.SIGKILL)

    source = open_source(str(book))
    assert len(source.parts) == 8
    found = audit_on_cluster(
        plan, source, cluster.scheduler_address, str(tmp_path / "cluster.parquet"), progress=kill_one
    )
    assert killed and killed[0] not in pids(cluster)
    assert json.dumps(found.to_dict()) == json.dumps(threads.to_dict())  # nothing lost, nothing twice
    assert found.accounts == 240_000
    ours, theirs = (pq.read_table(tmp_path / name) for name in ("cluster.parquet", "threads.parquet"))
    assert ours.equals(theirs)
    assert not (tmp_path / "cluster.parquet.parts").exists()


def test_a_damaged_part_is_named_by_a_cluster_too(plan, book, cluster, tmp_path):
    content = sorted(book.glob("positions-*.parquet"))[0].read_bytes()
    middle = len(content) // 2
    broken = tmp_path / "book"
    broken.mkdir()
    spoiled = content[: middle - 2000] + b"\x00" * 4000 + content[middle + 2000 :]
    (broken / "positions-000.parquet").write_bytes(spoiled)
    (broken / "accounts-000.parquet").write_bytes((book / "accounts-000.parquet").read_bytes())
    with pytest.raises(InputError, match="cannot be read"):
        audit_on_cluster(plan, open_source(str(broken)), cluster.scheduler_address)


def test_the_command_runs_on_a_cluster(book, cluster, capsys):
    address = cluster.scheduler_address
    assert main(["audit", "--positions", str(book), "--workers", address, "--json"]) == 0
    on_cluster = json.loads(capsys.readouterr().out)
    assert main(["audit", "--positions", str(book), "--json"]) == 0
    on_threads = json.loads(capsys.readouterr().out)
    for timed in ("seconds", "accounts_per_second"):
        on_cluster.pop(timed), on_threads.pop(timed)
    assert on_cluster == on_threads


def test_a_scheduler_that_is_not_there_is_named(plan, book, monkeypatch):
    monkeypatch.setattr("margin.audit.cluster.ANSWER_SECONDS", 1.0)
    with pytest.raises(InputError, match="does not answer"):
        audit_on_cluster(plan, open_source(str(book)), "tcp://127.0.0.1:9", None)
