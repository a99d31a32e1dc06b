"""Large files arrive whole or not at all, and an interrupted one goes on where it was."""

import hashlib
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.client import download
from engine.client.download import Meter, fetch, fetch_all
from engine.client.packages import LIST_NAME, File, Unfit, read_list

CONTENT = random.Random(0).randbytes(3_000_000)


class Server(ThreadingHTTPServer):
    """Serves CONTENT; ``cut`` ends the first answers after so many bytes."""

    cut: int = 0
    cuts: int = 0
    asked: list[str]
    keys: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.server.asked.append(self.headers.get("Range", ""))
        self.server.keys.append(self.headers.get("Authorization", ""))
        if "nothing" in self.path:
            self.send_error(404)
            return
        body = CONTENT[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.cuts > 0:
            self.server.cuts -= 1
            body = body[: self.server.cut]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    there = Server(("127.0.0.1", 0), Handler)
    there.asked, there.keys = [], []
    threading.Thread(target=there.serve_forever, daemon=True).start()
    yield there
    there.shutdown()
    there.server_close()


def file_at(server, name="weights.bin", *, content=CONTENT, user=""):
    address = f"http://{user}127.0.0.1:{server.server_port}/{name}"
    return File("weights", "1", address, len(content), hashlib.sha256(content).hexdigest())


def test_a_file_arrives_with_its_size_counted(server, tmp_path):
    progress = tmp_path / "progress.json"
    fetch_all([file_at(server)], tmp_path / "there", progress)
    assert (tmp_path / "there" / "weights.bin").read_bytes() == CONTENT
    said = json.loads(progress.read_text())
    assert said["done"] == said["total"] == len(CONTENT) and said["name"] == "weights 1"


def test_a_connection_that_ends_early_is_taken_up_where_it_was(server, tmp_path):
    server.cut, server.cuts = 1_000_000, 2
    meter = Meter(None, len(CONTENT))
    fetch(file_at(server), tmp_path / "weights.bin", meter)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT
    assert server.asked == ["", "bytes=1000000-", "bytes=2000000-"]
    assert meter.done == len(CONTENT)


def test_a_stopped_download_goes_on_next_time(server, tmp_path):
    (tmp_path / "weights.bin.part").write_bytes(CONTENT[:2_500_000])
    fetch_all([file_at(server)], tmp_path)
    assert server.asked == ["bytes=2500000-"]
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_a_file_that_is_there_is_not_downloaded_again(server, tmp_path):
    (tmp_path / "weights.bin").write_bytes(CONTENT)
    fetch_all([file_at(server)], tmp_path)
    assert server.asked == []


def test_a_file_with_another_hash_is_refused_and_deleted(server, tmp_path):
    other = file_at(server, content=CONTENT[::-1])
    with pytest.raises(Unfit, match="not the file that was expected"):
        fetch_all([other], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_on_the_disk_is_fetched_anew(server, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"damaged")
    fetch_all([file_at(server)], tmp_path)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_a_file_that_the_server_lacks_is_a_sentence(server, tmp_path):
    with pytest.raises(Unfit, match=r"refused nothing\.bin: 404"):
        fetch_all([file_at(server, "nothing.bin")], tmp_path)


def test_without_a_network_the_sentence_names_host_and_remedy(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TRIES", 2)
    file = file_at(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(Unfit, match=r"from 127\.0\.0\.1.*check the network"):
        fetch_all([file], tmp_path)


def test_user_and_password_go_into_a_header_and_into_no_message(server, tmp_path):
    file = file_at(server, "nothing.bin", user="anna:secret@")
    with pytest.raises(Unfit) as caught:
        fetch_all([file], tmp_path)
    assert server.keys == ["Basic YW5uYTpzZWNyZXQ="] and "secret" not in str(caught.value)


class Elsewhere(BaseHTTPRequestHandler):
    """Sends whoever asks to another host."""

    target: str

    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", self.target)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_password_does_not_follow_to_another_host(server, tmp_path):
    class Sender(Elsewhere):
        target = f"http://localhost:{server.server_port}/weights.bin"

    first = ThreadingHTTPServer(("127.0.0.1", 0), Sender)
    threading.Thread(target=first.serve_forever, daemon=True).start()
    whole = file_at(server)
    address = f"http://user:secret@127.0.0.1:{first.server_port}/weights.bin"
    fetch(File("weights", "1", address, whole.size, whole.sha256), tmp_path / "a", Meter(None, 1))
    first.shutdown()
    first.server_close()
    assert (tmp_path / "a").read_bytes() == CONTENT and server.keys == [""]


@pytest.mark.parametrize("end", ["..%2F..%2Fevil.whl", "..%5C..%5Cevil.whl", "a/%2e%2e%2fevil.whl"])
def test_no_address_leads_out_of_the_folder(end):
    assert File("a", "1", f"https://host/{end}", 0, "").file_name == "evil.whl"


@pytest.mark.parametrize("end", ["", "..", "%2e%2e", ".hidden", "a%00b", "a%0Ab"])
def test_an_address_without_a_name_is_refused(end):
    with pytest.raises(Unfit):
        _ = File("a", "1", f"https://host/{end}", 0, "").file_name


def test_a_list_from_elsewhere_cannot_add_requirements(tmp_path):
    entry = {"name": "a\nevil", "version": "1", "url": "https://host/a.whl", "size": 1}
    for wrong in ({"sha256": "0" * 64}, {"name": "a", "sha256": "0" * 64 + "\nevil"}):
        (tmp_path / LIST_NAME).write_text(json.dumps({"files": [{**entry, **wrong}]}))
        with pytest.raises(Unfit):
            read_list(tmp_path)
