"""CLIP weights are downloaded in one explicit step, found by jobs, and checked by their hash."""

import hashlib
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from engine import weights
from engine.client.packages import File
from engine.contract import variables
from engine.contract.events import EngineError
from engine.contract.settings import OFFERED_WEIGHTS
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


class Hub(BaseHTTPRequestHandler):
    """The hub: addresses with names, which lead to a storage without; parts may be asked for."""

    files: ClassVar[dict[str, bytes]] = {}
    damaged = False
    ranges: ClassVar[list[str]] = []

    @classmethod
    def address(cls, monkeypatch, root):
        """Let the hub's client go to ``root``."""
        template = root + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        content = self.answer()
        if content:
            self.wfile.write(content)

    def answer(self):
        if self.path.startswith("/storage/"):
            return self.storage()
        name = self.path.rpartition("/")[2]
        found = name in self.files
        self.send_response(302 if found else 404)
        if found:
            storage = f"http://localhost:{self.server.server_port}/storage/0?key"  # another host
            self.send_header("Location", storage)
            self.send_header("X-Repo-Commit", "c0ffee")
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(self.files[name]).hexdigest()}"')
            self.send_header("X-Linked-Size", str(len(self.files[name])))
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return b""

    def storage(self):
        content = bytes(len(CONTENT)) if self.damaged else CONTENT
        asked = self.headers.get("Range")
        if asked:
            self.ranges.append(asked)
            content = content[int(asked.removeprefix("bytes=").rstrip("-")) :]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    """A hub on this computer; a test fills it by ``files``."""
    handler = type("OwnHub", (Hub,), {"files": {}, "ranges": []})
    there = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=there.serve_forever, daemon=True).start()
    handler.address(monkeypatch, f"http://127.0.0.1:{there.server_port}")
    yield handler
    there.shutdown()
    there.server_close()


def test_downloaded_weights_are_found_by_their_tag(address, tmp_path, monkeypatch):
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    file = File("ViT-B-32", "openai", address, weights.size_at(address), sha256)
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    assert weight_files.downloaded_weights("ViT-B-32", "openai") is None
    path = weights.fetch(file, tmp_path, None)
    assert path.read_bytes() == CONTENT and file.size == len(CONTENT)
    assert weight_files.downloaded_weights("ViT-B-32", "openai") == path


def test_an_unfinished_download_is_not_taken_for_weights(tmp_path, monkeypatch):
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    (tmp_path / "ViT-B-32--openai").mkdir()
    (tmp_path / "ViT-B-32--openai" / "weights.pt.part").touch()
    assert weight_files.downloaded_weights("ViT-B-32", "openai") is None


@pytest.mark.parametrize("name", OFFERED_WEIGHTS)
def test_the_table_of_open_clip_knows_repository_and_archive(name):
    repository, names, url, sha256 = encoder.weights_source(*name.split(":"))
    assert repository.startswith("timm/") and names[0].endswith(".safetensors")
    assert url.endswith(".pt") and len(sha256) == 64


def test_an_unknown_tag_is_refused_with_those_that_there_are():
    with pytest.raises(EngineError, match="nor a weights tag of ViT-B-32, which has: openai"):
        encoder.weights_source("ViT-B-32", "nothing")


def test_the_hubs_safetensors_are_preferred(hub, tmp_path, monkeypatch, capsys):
    hub.files = dict.fromkeys(weight_files.HUB_FILES, CONTENT)
    monkeypatch.setenv(variables.WEIGHTS, str(tmp_path))
    assert weights.main(["ViT-L-14:openai", "--folder", str(tmp_path)]) == 0
    path = weight_files.downloaded_weights("ViT-L-14", "openai")
    assert path.name == "open_clip_model.safetensors" and path.read_bytes() == CONTENT
    assert str(path) in capsys.readouterr().out


def test_a_download_from_the_hub_goes_on_where_it_was_stopped(hub, tmp_path):
    hub.files = {weight_files.HUB_FILES[0]: CONTENT}
    file = weights.source("ViT-L-14:openai")
    folder = tmp_path / "ViT-L-14--openai"
    folder.mkdir()
    (folder / f"{file.file_name}.part").write_bytes(CONTENT[:150_000])
    assert weights.fetch(file, tmp_path, None).read_bytes() == CONTENT
    assert hub.ranges == ["bytes=150000-"]


def test_what_is_not_what_the_hub_says_is_refused(hub, tmp_path, capsys):
    hub.files, hub.damaged = {weight_files.HUB_FILES[0]: CONTENT}, True
    assert weights.main(["ViT-L-14:openai", "--folder", str(tmp_path)]) == 1
    assert "is not the file that was expected" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.safetensors*"))


def test_a_repository_without_safetensors_gives_its_other_file(hub):
    hub.files = {weight_files.HUB_FILES[1]: CONTENT}
    assert weights.source("ViT-B-32:laion2b_s34b_b79k").file_name == weight_files.HUB_FILES[1]


def test_openais_archive_is_taken_where_there_is_nothing_else(hub, monkeypatch):
    monkeypatch.setattr(weights, "size_at", lambda url: 7)
    file = weights.source("ViT-B-32:openai")
    assert file.file_name == "ViT-B-32.pt" and file.size == 7 and file.sha256 in file.url


def test_a_repository_with_nothing_is_named(hub, capsys):
    assert weights.main(["ViT-B-32:laion2b_s34b_b79k", "--folder", "/nowhere"]) == 1
    assert "laion/CLIP-ViT-B-32-laion2B-s34B-b79K gives out no weights" in capsys.readouterr().out


def test_without_a_network_the_sentence_says_what_else_there_is(hub, monkeypatch, capsys):
    hub.address(monkeypatch, "http://127.0.0.1:9")
    assert weights.main(["ViT-B-32:openai", "--folder", "/nowhere"]) == 1
    said = capsys.readouterr().out
    assert "ViT-B-32:/path/to/weights.safetensors" in said and "refused" in said
