"""How smoothly a page scrolls, in a headless Chromium without a graphics card."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

_PIXELS = 100  # a frame: a fast flick
_SCROLL = """
    const [pixels, done] = arguments, times = [];
    let before = performance.now();
    const next = (now) => {
      times.push(now - before);
      before = now;
      if (scrollY + innerHeight >= document.documentElement.scrollHeight - 1) return done(times.slice(2));
      scrollBy(0, pixels);
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
"""


def times_of_frames(page: Path) -> list[float]:
    """Scrolls a page from its beginning to its end.

    Returns:
        Milliseconds from each picture to the next; none where there is no browser.
    """
    found = shutil.which("chromedriver")
    if not found:
        return []
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    with tempfile.TemporaryDirectory() as profile:
        for option in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"):
            options.add_argument(option)
        driver = webdriver.Chrome(options=options, service=Service(found))
        try:
            driver.set_script_timeout(300)
            driver.get(page.resolve().as_uri())
            return [float(time) for time in driver.execute_async_script(_SCROLL, _PIXELS)]
        finally:
            driver.quit()
