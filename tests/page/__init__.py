"""The sandbox's page, in a real browser and from outside of one."""

NO_BROWSER = "there is no browser to test the page in"
TO_INSTALL = (
    "To run them install Debian's chromium-headless-shell, or run: playwright install chromium"
)
