"""How long a newcomer needs from `git clone` to an edit that is posted on the sandbox's page.

    python -m benchmarks.newcomer

What is committed is cloned into an empty folder, and the commands of the README's first screen are
run there as they stand. Then a browser drops a photo into the channel, as a person would: types
`/edit` and a prompt, and waits for the image. Nobody's reading and typing is counted, and pip's
cache is as it is.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.page.browser import launched_browser

ROOT = Path(__file__).parent.parent
SECONDS_TO_WAIT = 120
EDIT = re.compile(r"^ {4}(python3 .* bot sandbox)$", re.MULTILINE)
PAGE = re.compile(r"^ {4}(\S+ -m bot sandbox --page --open)$", re.MULTILINE)


def main() -> None:
    """Do it and print the figures."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        started = time.monotonic()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        run(clone, EDIT.findall(readme)[0])
        installed = time.monotonic()
        with showing(clone, PAGE.findall(readme)[0]) as address:
            shown = time.monotonic()
            asyncio.run(edit(address))
            posted = time.monotonic()
    print(
        f"From git clone to an edit posted on the page: {posted - started:.1f} s "
        f"(installed, with an edit in the terminal: {installed - started:.1f} s, "
        f"the page: {shown - installed:.1f} s, the edit in it: {posted - shown:.1f} s)"
    )


def run(clone: Path, command: str) -> None:
    """Run a command of the README to its end."""
    subprocess.run(["bash", "-c", command], cwd=clone, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def showing(clone: Path, command: str) -> Generator[str]:
    """Run the command that shows the page, with its address, and end it as Ctrl-C does."""
    environment = os.environ | {"BROWSER": "true"}
    process = subprocess.Popen(
        command.split(), cwd=clone, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        lines = iter(process.stdout.readline, "") if process.stdout else iter(())
        addresses = (found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        address = next(addresses, None)
        if address is None:
            sys.exit("the page did not come up")
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


async def edit(address: str) -> None:
    """Make an edit on the page and wait until its image is there."""
    async with launched_browser() as browser:
        page = await browser.new_page()
        await page.goto(address)
        await page.get_by_role("textbox", name="Message").click()
        await page.keyboard.type("/edit")
        await page.keyboard.press("Enter")
        photo = ROOT / "sandbox" / "page" / "static" / "demo.jpg"
        await page.locator("input[type=file]").set_input_files(photo)
        await page.keyboard.type("make it a watercolour")
        await page.keyboard.press("Enter")
        image = page.get_by_role("article").get_by_role("img").first
        await image.wait_for(timeout=SECONDS_TO_WAIT * 1000)


if __name__ == "__main__":
    main()
