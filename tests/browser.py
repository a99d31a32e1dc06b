"""A Chromium without a window, led over the DevTools protocol through two pipes.

No network and no library take part. https://chromedevtools.github.io/devtools-protocol/
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import warnings

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SECONDS = 60
# The protocol is spoken on the descriptors 3 and 4.
START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
KEYS = {"Enter": ("Enter", 13, "\r"), " ": ("Space", 32, " ")}


def found_browser():
    """Return the path of a Chromium; leaves the test out, aloud, where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = "no Chromium is installed: the study's page is not tested (tools/browser.sh)"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    return path


class Browser:
    """One page of a browser with a profile of its own in ``folder``."""

    def __init__(self, folder):
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        words = [found_browser(), "--headless", "--no-sandbox", "--disable-gpu", "--mute-audio",
                 "--disable-background-networking", "--autoplay-policy=no-user-gesture-required",
                 f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe"]  # fmt: skip
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, ends), *words], pass_fds=ends,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self._number, self._rest, self._session = 0, b"", None
        self.requests = []  # addresses of all that was loaded
        self.complaints = []  # exceptions, and what the console says
        self.downloads = folder / "downloads"
        self.downloads.mkdir(exist_ok=True)
        target = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self(f"{domain}.enable")
        self("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._out)  # it ends when nobody speaks any more
        os.close(self._in)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __call__(self, method, **parameters):
        """Call ``method`` of the protocol and return its result."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": parameters}
        if self._session and not method.startswith(("Target.", "Browser.")):
            call["sessionId"] = self._session
        os.write(self._out, json.dumps(call).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _message(self):
        while b"\0" not in self._rest:
            part = os.read(self._in, 1 << 16)
            assert part, "the browser has ended"
            self._rest += part
        text, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(text)
        about, facts = message.get("method"), message.get("params", {})
        if about == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif about in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(facts)
        return message

    def show(self, address):
        """Open ``address`` and wait until it is there."""
        self("Page.navigate", url=address)
        self.until(f"location.href === {json.dumps(address)} && document.readyState === 'complete'")

    def value(self, expression):
        """Return what a JavaScript expression is in the page."""
        answer = self("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression):
        """Wait until ``expression`` is true."""
        end = time.monotonic() + SECONDS
        while not self.value(expression):
            assert time.monotonic() < end, f"never came true: {expression}"
            time.sleep(0.05)

    def press(self, key, shift=False):
        """Press and release a key, as a keyboard does."""
        code, number, text = KEYS.get(key, (f"Digit{key}", ord(key[0]), key))
        facts = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        facts["modifiers"] = 8 if shift else 0
        self("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
        self("Input.dispatchKeyEvent", type="keyUp", **facts)

    def click(self, selector):
        """Click into the middle of an element with the left mouse button."""
        box = self.value(
            f"(() => {{ const place = document.querySelector({json.dumps(selector)}); "
            "place.scrollIntoView(); const box = place.getBoundingClientRect(); "
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left",
                 clickCount=1)  # fmt: skip
