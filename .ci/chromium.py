"""Debian's Chromium without a window, spoken to through two pipes: no driver to install."""
import json
import os
import select
import subprocess
import time


class Browser:
    """Chromium, spoken to through two pipes in the words of its DevTools."""

    def __init__(self, profile):
        to_read, self.out = os.pipe()
        self.inp, to_write = os.pipe()

        def place():
            os.dup2(to_read, 3, inheritable=True)
            os.dup2(to_write, 4, inheritable=True)

        # Descriptors 3 and 4 must not be what they are copied from.
        while to_read in (3, 4) or to_write in (3, 4):
            to_read, to_write = os.dup(to_read), os.dup(to_write)
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={profile}",
                 "--window-size=1400,1000", "--no-first-run", "about:blank"]
        self.process = subprocess.Popen(["chromium", *flags], pass_fds=(3, 4), preexec_fn=place,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number, self.rest, self.answers, self.session = 0, b"", {}, None
        self.asked, self.complaints = [], []

    def send(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 30
        while self.number not in self.answers:
            if time.monotonic() > end:
                raise SystemExit(f"the browser does not answer to {method}")
            self.hear(0.2)
        return self.answers.pop(self.number)

    def hear(self, patience):
        if not select.select([self.inp], [], [], patience)[0]:
            return
        *messages, self.rest = (self.rest + os.read(self.inp, 1 << 20)).split(b"\0")
        for message in map(json.loads, messages):
            method, params = message.get("method"), message.get("params", {})
            if "id" in message:
                self.answers[message["id"]] = message.get("result", message)
            elif method == "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])
            elif method in ("Runtime.exceptionThrown", "Log.entryAdded") or (
                    method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning")):
                self.complaints.append(json.dumps(params)[:500])

    def open(self, address):
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Network", "Runtime", "Log", "Page"):
            self.send(f"{domain}.enable")
        self.send("Page.navigate", url=address)

    def look(self, width, height, scheme):
        """As a screen of this size, on a system that prefers light or dark."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 500)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key):
        """A key, as the keyboard sends it."""
        code = {"Enter": 13, "Tab": 9, "ArrowLeft": 37, "Escape": 27}[key]
        for kind in ("rawKeyDown", "char", "keyUp"):
            if kind != "char" or key == "Enter":
                text = {"text": "\r"} if key == "Enter" and kind == "char" else {}
                self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def value(self, script):
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{script[:200]}: {json.dumps(result['exceptionDetails'])[:500]}")
        return result.get("result", {}).get("value")

    def until(self, what, script, seconds=30):
        end = time.monotonic() + seconds
        # While a page loads, what a script asks of it may not be there yet.
        while not self.value(f"(() => {{ try {{ return !!({script}); }} catch {{ return false; }} }})()"):
            if time.monotonic() > end:
                state = self.value("document.body?.innerText.slice(0, 400)")
                raise SystemExit(f"never: {what}\n{state}\n" + "\n".join(self.complaints))
            time.sleep(0.05)
        print(f"  {what}")

    def close(self):
        self.process.terminate()
        self.process.wait(20)
