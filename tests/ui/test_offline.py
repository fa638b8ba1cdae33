"""MARGIN_OFFLINE=1: the started app looks nothing up, Streamlit's own look-ups included."""

import os
import subprocess
import sys
import urllib.request

from tests.running_app import free_port, wait_until_healthy
from tests.support import ROOT

GUARD = """
import os, sys
HERE = ("127.", "localhost", "0.0.0.0", "::")

def hook(event, args):
    place = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.connect": 1, "socket.sendto": 1}.get(event)
    if place is not None:
        host = args[place][0] if place and isinstance(args[place], tuple) else args[place]
        if not str(host or "localhost").startswith(HERE):
            with open(os.environ["GUARD_LOG"], "a") as log:
                log.write(f"{event} {host}\\n")

sys.addaudithook(hook)
"""
PAGES = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=60).run()
for page in ("venues", "data"):
    app = app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
from streamlit.web.server import server_util
assert not server_util.is_url_from_allowed_origins("http://elsewhere.example")
"""
LOOK_UP = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('x.invalid', 80)"


def guarded(tmp_path, **more):
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    log = tmp_path / "guard.log"
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "GUARD_LOG": str(log), "MARGIN_DATA_DIR": str(tmp_path)}
    variables.pop("MARGIN_EXCHANGE_GATEWAY", None)
    return variables | {"MARGIN_OFFLINE": "1"} | more, log


def test_offline_makes_no_look_up_at_all_streamlits_own_included(tmp_path):
    variables, log = guarded(tmp_path)
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    started = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(started, f"http://127.0.0.1:{port}")
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
        done = subprocess.run([sys.executable, "-c", PAGES], cwd=ROOT, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    finally:
        started.terminate()
        said = started.communicate(timeout=30)[0].decode()
    assert f"http://localhost:{port}" in said
    assert not log.exists(), log.read_text()
    subprocess.run([sys.executable, "-c", LOOK_UP], env=variables, check=True)
    assert "x.invalid" in log.read_text()  # the guard does see one
