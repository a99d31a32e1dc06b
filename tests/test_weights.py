"""CLIP weights are downloaded in one explicit step, found by jobs, and checked by their hash."""

import hashlib
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine import weights
from engine.client import download
from engine.client.packages import File
from engine.contract import variables
from engine.contract.events import EngineError
from engine.stylization import encoder, weight_files

CONTENT = random.Random(1).randbytes(200_000)


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    there = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=there.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{there.server_port}/weights.pt"
    there.shutdown()
    there.server_close()


def test_downloaded_weights_are_found_by_their_tag(address, tmp_path, monkeypatch):
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    file = File("ViT-B-32", "openai", address, weights.size_at(address), sha256)
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    assert weight_files.downloaded("ViT-B-32", "openai") is None
    path = weights.fetch(file, tmp_path, None)
    assert path.read_bytes() == CONTENT and file.size == len(CONTENT)
    assert weight_files.downloaded("ViT-B-32", "openai") == path


def test_an_unfinished_download_is_not_taken_for_weights(tmp_path, monkeypatch):
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    (tmp_path / "ViT-B-32--openai").mkdir()
    (tmp_path / "ViT-B-32--openai" / "weights.pt.part").touch()
    assert weight_files.downloaded("ViT-B-32", "openai") is None


def test_the_table_of_open_clip_knows_address_and_hash():
    repository, url, sha256 = encoder.weights_source("ViT-L-14", "openai")
    assert repository and url.endswith("ViT-L-14.pt") and len(sha256) == 64


def test_an_unknown_tag_is_refused_with_those_that_there_are():
    with pytest.raises(EngineError, match="no weights tag of ViT-B-32, which has: openai"):
        encoder.weights_source("ViT-B-32", "nothing")


def test_without_a_network_the_sentence_says_what_else_there_is(address, monkeypatch, capsys):
    closed = "http://127.0.0.1:9/weights.pt"
    monkeypatch.setattr(encoder, "weights_source", lambda *_: ("", closed, "0" * 64))
    monkeypatch.setattr(download, "TIMEOUT", 2)
    assert weights.main(["ViT-B-32:openai", "--folder", "/nowhere"]) == 1
    assert "ViT-B-32:/path/to/weights.safetensors" in capsys.readouterr().out
